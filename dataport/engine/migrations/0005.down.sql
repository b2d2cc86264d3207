DROP TABLE store.commit_tables;
