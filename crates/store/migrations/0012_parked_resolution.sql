-- What people did about a parked message. The message itself is never changed: an edit is a message of its own.

alter table parked_message
    add column resolved_by  text,
    add column reason       text,
    add column replacement  bytea,                       -- the body that was sent instead, sealed for this row
    add column diff         jsonb,                       -- what the edit changed: pointer, before and after, masked
    add constraint parked_resolution check (
        resolution is null
        or (resolution = 'replayed' and num_nulls(resolved_at, resolved_by, reason, replacement, diff) = 0)
        or (resolution = 'discarded' and num_nulls(resolved_at, resolved_by, reason) = 0
            and num_nonnulls(replacement, diff) = 0));
