DROP TABLE store.stubs;
