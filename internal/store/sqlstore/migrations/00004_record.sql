-- What the server remembers about those who call it: the audit, their tokens, and the answers that it gave them.

CREATE TABLE audit (
    id          {{key}} NOT NULL PRIMARY KEY,
    happened_on BIGINT  NOT NULL,
    who         {{key}} NOT NULL,
    action      {{key}} NOT NULL,
    kind        {{key}} NOT NULL,
    object_id   {{key}} NOT NULL,
    before_json TEXT    NOT NULL, -- '' for none
    after_json  TEXT    NOT NULL,
    reason      TEXT    NOT NULL
);

CREATE INDEX audit_object ON audit (object_id, id);

CREATE TABLE tokens (
    id          {{key}} NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    name_key    {{key}} NOT NULL,
    name_digest {{key}} NOT NULL, -- of name_key, which may be too long for an index of PostgreSQL
    scopes      TEXT    NOT NULL, -- JSON
    secret_hash {{key}} NOT NULL, -- SHA-256, hex
    expires_on  BIGINT,
    created_on  BIGINT
);

CREATE UNIQUE INDEX tokens_name ON tokens (name_digest);
CREATE UNIQUE INDEX tokens_secret ON tokens (secret_hash);

CREATE TABLE idempotency_keys (
    actor        {{key}} NOT NULL,
    request_key  {{key}} NOT NULL,
    request_hash TEXT    NOT NULL,
    object_id    {{key}} NOT NULL,
    answer       TEXT    NOT NULL, -- '' until the request is answered
    created_on   BIGINT  NOT NULL,
    PRIMARY KEY (actor, request_key)
);

CREATE INDEX idempotency_keys_object ON idempotency_keys (object_id);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_on);
