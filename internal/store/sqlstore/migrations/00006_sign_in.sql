-- Sign-ins: who came in and who did not, and the sessions of those who did.

-- The history outlives connections, mappings and sessions, so it refers to none of them. Each index ends with the time,
-- so that the newest rows of whatever is asked for are found without reading the others. Those that every sign-in writes
-- are without the id, which only orders the rows of one microsecond.
CREATE TABLE sign_ins (
    happened_on               BIGINT  NOT NULL,
    id                        {{key}} NOT NULL,
    source_connection_id      {{key}} NOT NULL,
    destination_connection_id {{key}} NOT NULL,
    email                     TEXT    NOT NULL,
    email_key                 {{key}} NOT NULL, -- canonical; of what is no address, folded; a digest of what is too long for an index
    user_id                   TEXT    NOT NULL,
    user_key                  {{key}} NOT NULL,
    client                    {{key}} NOT NULL,
    source_address            TEXT    NOT NULL,
    outcome                   {{key}} NOT NULL,
    reasons                   TEXT    NOT NULL, -- JSON, '' for none
    user_mapping_id           {{key}} NOT NULL, -- '' for none
    mapping_created           BOOLEAN NOT NULL,
    session_id                {{key}} NOT NULL, -- '' for none
    PRIMARY KEY (happened_on, id)
);

CREATE INDEX sign_ins_source ON sign_ins (source_connection_id, happened_on);
CREATE INDEX sign_ins_destination ON sign_ins (destination_connection_id, happened_on);
CREATE INDEX sign_ins_mapping ON sign_ins (user_mapping_id, happened_on);
CREATE INDEX sign_ins_email ON sign_ins (email_key, happened_on);
CREATE INDEX sign_ins_user ON sign_ins (user_key, happened_on);
-- Denials are few. With the id SQLite uses their index for later pages too, and not the primary key.
CREATE INDEX sign_ins_denied ON sign_ins (happened_on, id) WHERE outcome = 'denied';

-- A session goes with its mapping. No foreign key says so, since whoever deletes a mapping wants to know its sessions;
-- whoever begins one holds the lock of the mapping.
CREATE TABLE sessions (
    id              {{key}} NOT NULL PRIMARY KEY,
    user_mapping_id {{key}} NOT NULL,
    client          {{key}} NOT NULL,
    source_address  TEXT    NOT NULL,
    first_used_on   BIGINT  NOT NULL,
    last_used_on    BIGINT  NOT NULL,
    use_count       BIGINT  NOT NULL
);

CREATE UNIQUE INDEX sessions_client ON sessions (user_mapping_id, client);
