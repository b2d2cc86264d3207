DELETE FROM store.stated WHERE until IS NOT NULL;
ALTER TABLE store.stated DROP COLUMN until;
