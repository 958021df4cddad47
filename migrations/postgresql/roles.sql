-- Rights for those who are not the schema's owner. Run once, by the owner (psql -f), if there are others:
--     CREATE ROLE promptd_daemon;     GRANT promptd_daemon TO …;
--     CREATE ROLE promptd_producer;   GRANT promptd_producer TO …;
-- What triggers write they write as the owner, so nobody needs rights for that. Functions that daemons call run with the rights of
-- whoever calls them.

-- Daemons and promptctl: rows, but not the schema. TRUNCATE is nobody's.
GRANT USAGE ON SCHEMA promptd TO promptd_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA promptd TO promptd_daemon;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA promptd TO promptd_daemon;

-- Producers: jobs, and what is said of them. Queues and budgets are an operator's.
GRANT USAGE ON SCHEMA promptd TO promptd_producer;
GRANT SELECT ON ALL TABLES IN SCHEMA promptd TO promptd_producer;
GRANT INSERT, UPDATE, DELETE ON promptd.jobs TO promptd_producer;
