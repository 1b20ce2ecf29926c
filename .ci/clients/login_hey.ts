// Logs in with the client of hey-api.
import assert from "node:assert/strict";
import { nativeGetMe, nativePatchMe, nativePostLogin } from "./hey";
import { client } from "./hey/client.gen";

async function main(baseUrl: string): Promise<void> {
  client.setConfig({ baseUrl });
  const wrong = await nativePostLogin({ body: { username: "dr_wang", password: "wrong" } });
  assert.equal(wrong.error?.code, "invalid_credentials");
  const login = await nativePostLogin({ body: { username: "dr_wang", password: "123456" } });
  assert(login.data);
  client.setConfig({ auth: login.data.access_token });
  const me = await nativeGetMe();
  assert.equal(me.data?.role, "doctor");
  await nativePatchMe({ body: { profile: { theme: "dark" } } });
}

void main(process.argv[2] ?? "");
