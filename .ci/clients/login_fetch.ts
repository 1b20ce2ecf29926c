// Logs in with the types of openapi-typescript and the client openapi-fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./fetch/schema";

async function main(baseUrl: string): Promise<void> {
  const client = createClient<paths>({ baseUrl });
  const wrong = await client.POST("/api/auth/login", { body: { username: "dr_wang", password: "wrong" } });
  assert.equal(wrong.error?.code, "invalid_credentials");
  const login = await client.POST("/api/auth/login", { body: { username: "dr_wang", password: "123456" } });
  assert(login.data);
  const headers = { Authorization: `Bearer ${login.data.access_token}` };
  const me = await client.GET("/api/auth/me", { headers });
  assert.equal(me.data?.role, "doctor");
  // A client program's own data has any keys.
  await client.PATCH("/api/auth/me", { headers, body: { profile: { theme: "dark" } } });
}

void main(process.argv[2] ?? "");
