-- Spreads every table over the machines of a Citus cluster, by lane: `hookwright db distribute`. A table that is
-- distributed already is left as it is, so after a version that brings new tables it may be run again.
--
-- 64 shards, into each of which falls one of the 64 labels of the lanes (see core/lanes.py); all that belongs to a lane is on one
-- machine. `schema_migrations` stays where it is: it belongs to no lane, and only a migration reads it.

SELECT create_distributed_table('lanes', 'lane', colocate_with => 'none', shard_count => 64)
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'lanes'::regclass);

SELECT create_distributed_table('accounts', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'accounts'::regclass);

SELECT create_distributed_table('signing_secrets', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'signing_secrets'::regclass);

SELECT create_distributed_table('sites', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'sites'::regclass);

SELECT create_distributed_table('keys', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'keys'::regclass);

SELECT create_distributed_table('oauth_apps', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'oauth_apps'::regclass);

SELECT create_distributed_table('oauth_codes', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'oauth_codes'::regclass);

SELECT create_distributed_table('grants', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'grants'::regclass);

SELECT create_distributed_table('endpoints', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'endpoints'::regclass);

SELECT create_distributed_table('subscriptions', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'subscriptions'::regclass);

SELECT create_distributed_table('events', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'events'::regclass);

SELECT create_distributed_table('idempotency_keys', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'idempotency_keys'::regclass);

SELECT create_distributed_table('payloads', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'payloads'::regclass);

SELECT create_distributed_table('deliveries', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'deliveries'::regclass);

SELECT create_distributed_table('attempts', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'attempts'::regclass);

SELECT create_distributed_table('event_types', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'event_types'::regclass);

SELECT create_distributed_table('announcements', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'announcements'::regclass);

SELECT create_distributed_table('replays', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'replays'::regclass);

SELECT create_distributed_table('queues', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'queues'::regclass);

SELECT create_distributed_table('workers', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'workers'::regclass);

SELECT create_distributed_table('master_keys', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'master_keys'::regclass);

SELECT create_distributed_table('sessions', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'sessions'::regclass);

SELECT create_distributed_table('tallies', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'tallies'::regclass);

SELECT create_distributed_table('audit_entries', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'audit_entries'::regclass);

SELECT create_distributed_table('listeners', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'listeners'::regclass);

SELECT create_distributed_table('held_requests', 'lane', colocate_with => 'lanes')
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'held_requests'::regclass);
