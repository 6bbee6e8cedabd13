-- A claim's plan is kept by each connection. Made while the table was small, it would read the whole table at every claim
-- until statistics are next gathered, which a burst outruns.
ALTER FUNCTION claim_settlements(uuid[], text, interval) SET enable_seqscan = off;
