INSERT INTO accounts_user (id, password, is_superuser, username, username_key, email, email_key, role, full_name, first_name, last_name, nickname, department, avatar_url, is_active, awaits_approval, created_at, updated_at, stamp)
WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < {n})
SELECT i, '{django_hash}', false, 'user' || i, 'user' || i, 'user' || i || '@example.com', 'user' || i || '@example.com', 'patient', '', 'First', 'Last', '', '', '', true, false, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 'stamp-of-user-' || i FROM g;
