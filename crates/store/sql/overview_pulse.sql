-- A text that changes whenever something did that a page may show.
select concat_ws('.', (select max(id) from transition),
                 (select max(sequence) from audit_entry),
                 (select count(*) from parked_message where resolved_at is null),
                 (select max(id) from outbox),
                 (select count(*) from stop where lifted_at is null)) as pulse
