-- User mappings. The unique indexes are the backstop of the rules email_in_use and user_already_mapped.

CREATE TABLE user_mappings (
    id                        {{key}} NOT NULL PRIMARY KEY,
    source_connection_id      {{key}} NOT NULL REFERENCES connections (id),
    source_account_id         {{key}} NOT NULL, -- '' while no directory knows the account
    destination_connection_id {{key}} NOT NULL REFERENCES connections (id),
    destination_account_id    {{key}} NOT NULL,
    email                     TEXT    NOT NULL,
    email_key                 {{key}} NOT NULL,
    email_domain              {{key}} NOT NULL, -- of email_key
    email_source              TEXT    NOT NULL,
    email_scope               {{key}} NOT NULL,
    user_id                   TEXT    NOT NULL,
    user_key                  {{key}} NOT NULL,
    origin                    {{key}} NOT NULL,
    last_sign_in_on           BIGINT,
    revision                  BIGINT  NOT NULL,
    created_on                BIGINT,
    modified_on               BIGINT,
    search                    {{key}} NOT NULL
);

CREATE UNIQUE INDEX user_mappings_email ON user_mappings (email_scope, email_key);
CREATE UNIQUE INDEX user_mappings_mailbox ON user_mappings (email_scope, source_connection_id, source_account_id)
    WHERE source_account_id <> '';
CREATE UNIQUE INDEX user_mappings_user ON user_mappings (source_connection_id, destination_connection_id, user_key);
CREATE UNIQUE INDEX user_mappings_account
    ON user_mappings (source_connection_id, destination_connection_id, destination_account_id)
    WHERE destination_account_id <> '';

CREATE INDEX user_mappings_source_email ON user_mappings (source_connection_id, email_key);
CREATE INDEX user_mappings_source_account ON user_mappings (source_connection_id, source_account_id);
CREATE INDEX user_mappings_destination_user ON user_mappings (destination_connection_id, user_key);
CREATE INDEX user_mappings_destination_account ON user_mappings (destination_connection_id, destination_account_id);
