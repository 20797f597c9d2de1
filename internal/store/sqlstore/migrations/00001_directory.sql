-- Connections, and what their directories know: accounts, groups and the addresses of both.
-- {{key}} is text that is compared and ordered by its bytes; keys are made in Go (idmap.Fold, idmap.CanonicalEmail).
-- A "search" column is what free text is looked for in: the folded names and addresses of the row, a line each.

CREATE TABLE connections (
    id                   {{key}} NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    name_key             {{key}} NOT NULL,
    name_digest          {{key}} NOT NULL, -- of name_key, which may be too long for an index of PostgreSQL
    platform_id          {{key}} NOT NULL,
    authoritative        BOOLEAN NOT NULL,
    mail_domain          TEXT    NOT NULL,
    sign_in_disabled     BOOLEAN NOT NULL,
    sign_in_mapping      TEXT    NOT NULL,
    on_sign_out          TEXT    NOT NULL,
    sign_in_history_days BIGINT  NOT NULL,
    directory            TEXT    NOT NULL, -- JSON, '' for none
    directory_version    TEXT    NOT NULL, -- a random text, a new one for each write of accounts or groups
    revision             BIGINT  NOT NULL,
    created_on           BIGINT,           -- microseconds since 1970, as all times
    modified_on          BIGINT
);

CREATE UNIQUE INDEX connections_name ON connections (name_digest);

CREATE TABLE accounts (
    connection_id     {{key}} NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    id                {{key}} NOT NULL,
    username          TEXT    NOT NULL,
    email             TEXT    NOT NULL,
    aliases           TEXT    NOT NULL, -- JSON, '' for none
    name              TEXT    NOT NULL,
    given_name        TEXT    NOT NULL,
    surname           TEXT    NOT NULL,
    user_type         TEXT    NOT NULL,
    disabled          BOOLEAN NOT NULL,
    admin             BOOLEAN NOT NULL,
    built_in          BOOLEAN NOT NULL,
    readonly          BOOLEAN NOT NULL,
    external          BOOLEAN NOT NULL,
    sign_in_permitted BOOLEAN,          -- NULL while the directory does not say
    deleted_on        BIGINT,
    revision          BIGINT  NOT NULL,
    user_key          {{key}} NOT NULL,
    name_digest       {{key}} NOT NULL, -- of the folded name, '' for none
    search            {{key}} NOT NULL,
    PRIMARY KEY (connection_id, id)
);

CREATE INDEX accounts_user_key ON accounts (connection_id, user_key);
CREATE INDEX accounts_name ON accounts (connection_id, name_digest);

CREATE TABLE groups (
    connection_id  {{key}} NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    id             {{key}} NOT NULL,
    name           TEXT    NOT NULL,
    caption        TEXT    NOT NULL,
    addresses      TEXT    NOT NULL, -- JSON, '' for none
    built_in       BOOLEAN NOT NULL,
    disabled       BOOLEAN NOT NULL,
    readonly       BOOLEAN NOT NULL,
    deleted_on     BIGINT,
    revision       BIGINT  NOT NULL,
    name_digest    {{key}} NOT NULL, -- of the folded name, '' for none
    caption_digest {{key}} NOT NULL, -- of the folded caption, '' for none
    search         {{key}} NOT NULL,
    PRIMARY KEY (connection_id, id)
);

CREATE INDEX groups_name ON groups (connection_id, name_digest);
CREATE INDEX groups_caption ON groups (connection_id, caption_digest);

CREATE TABLE directory_addresses (
    connection_id {{key}} NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    owner_kind    {{key}} NOT NULL, -- account or group
    owner_id      {{key}} NOT NULL,
    position      BIGINT  NOT NULL,
    address_key   {{key}} NOT NULL,
    PRIMARY KEY (connection_id, owner_kind, owner_id, position)
);

CREATE INDEX directory_addresses_key ON directory_addresses (connection_id, owner_kind, address_key);
