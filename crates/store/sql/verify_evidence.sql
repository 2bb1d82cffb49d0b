-- The tables in which evidence from outside stands for the length of one transaction.
create temporary table evidence_movement (
    payout_no  text   not null,
    amount     bigint not null,
    kind       text   not null check (kind in ('payout', 'return'))
) on commit drop;
create temporary table evidence_given (what text not null) on commit drop;
