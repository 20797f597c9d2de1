-- The address ledger. It outlives connections, accounts and mappings, so it refers to none of them.

CREATE TABLE email_assignments (
    id             {{key}} NOT NULL PRIMARY KEY,
    connection_id  {{key}} NOT NULL,
    address_key    {{key}} NOT NULL,
    address        TEXT    NOT NULL,
    seen_by        TEXT    NOT NULL,
    first_seen_on  BIGINT  NOT NULL,
    last_seen_on   BIGINT  NOT NULL,
    released_on    BIGINT,
    released_by    TEXT    NOT NULL,
    release_reason TEXT    NOT NULL,
    revision       BIGINT  NOT NULL,
    search         {{key}} NOT NULL
);

CREATE UNIQUE INDEX email_assignments_address ON email_assignments (connection_id, address_key)
    WHERE released_on IS NULL;
CREATE INDEX email_assignments_history ON email_assignments (connection_id, address_key, id);

CREATE TABLE email_assignment_holders (
    assignment_id {{key}} NOT NULL REFERENCES email_assignments (id),
    connection_id {{key}} NOT NULL,
    account_id    {{key}} NOT NULL, -- '' while no directory knows the account
    user_key      {{key}} NOT NULL, -- '' in the mail connection itself
    name          TEXT    NOT NULL,
    PRIMARY KEY (assignment_id, connection_id)
);

CREATE INDEX email_assignment_holders_account ON email_assignment_holders (account_id);
CREATE INDEX email_assignment_holders_user ON email_assignment_holders (user_key);
