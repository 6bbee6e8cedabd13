-- Taking less than asked. A reversal may be split: what is taken now, and the rest, which is a reversal of its own with a key of its own.
-- And what a seller owes may be offset against his next transfers, which are sent for so much less.

ALTER TABLE reversals
  -- 0: the one that was demanded; the others were split from those before them.
  ADD COLUMN part int NOT NULL DEFAULT 0 CHECK (part >= 0),
  -- Since when it is not asked of Stripe, but kept of the seller's next transfers, because a person said so.
  ADD COLUMN debt_since timestamptz,
  -- Taken by an offset: nothing of it is at Stripe, and it is back all the same.
  ADD COLUMN offset_done boolean NOT NULL DEFAULT false,
  -- A person has it take what is there: asked of Stripe once, whoever else waits for the seller's balance.
  ADD COLUMN takes_available boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT reversals_refund_id_transfer_id_key,
  DROP CONSTRAINT reversals_withdrawal_id_transfer_id_key,
  DROP CONSTRAINT reversed_is_proved,
  ADD CONSTRAINT reversals_refund_id_transfer_id_key UNIQUE (refund_id, transfer_id, part),
  ADD CONSTRAINT reversals_withdrawal_id_transfer_id_key UNIQUE (withdrawal_id, transfer_id, part),
  ADD CONSTRAINT reversed_is_proved CHECK ((status = 'reversed') = (stripe_reversal_id IS NOT NULL OR counted = amount OR offset_done)
    AND (status <> 'reversed' OR (certainty = 'done' AND reversed_at IS NOT NULL))),
  ADD CONSTRAINT offset_leaves_nothing_at_stripe CHECK (NOT offset_done OR (status = 'reversed' AND stripe_reversal_id IS NULL AND counted = 0)),
  ADD CONSTRAINT debt_is_not_sent CHECK (debt_since IS NULL OR (runner IS NULL AND params IS NULL AND counted = 0
    AND status IN ('waiting_balance', 'reversed')));
CREATE INDEX reversals_owed ON reversals (seller_account, currency, place) WHERE debt_since IS NOT NULL AND status = 'waiting_balance';
DROP INDEX reversals_waiting;
CREATE INDEX reversals_waiting ON reversals (seller_account, currency, place) WHERE status = 'waiting_balance' AND debt_since IS NULL;

-- What a transfer is sent for less, because its seller owed it: reserved from its claim on, moved once the transfer is with the seller. Where
-- it turns out unsent, is cancelled or made smaller, the debt is open again.
ALTER TABLE seller_transfers
  ADD COLUMN offset_amount numeric(78,0) NOT NULL DEFAULT 0 CHECK (offset_amount >= 0),
  DROP CONSTRAINT amount_is_what_remains,
  ADD CONSTRAINT amount_is_what_remains CHECK (amount = promised - withheld - offset_amount AND amount >= 0),
  DROP CONSTRAINT reversed_within_transfer,
  ADD CONSTRAINT reversed_within_transfer CHECK (amount_reversed BETWEEN 0 AND amount + offset_amount),
  ADD CONSTRAINT cancelled_offsets_nothing CHECK (status <> 'cancelled' OR offset_amount = 0),
  ADD CONSTRAINT unreleased_offsets_nothing CHECK (offset_amount = 0 OR release_kind = 'immediately' OR released_at IS NOT NULL);
-- One that was offset to nothing never had an id.
DROP INDEX seller_transfers_without_id;
CREATE INDEX seller_transfers_without_id ON seller_transfers (seller_account)
  WHERE completed_at IS NOT NULL AND stripe_transfer_id IS NULL AND amount > 0;

CREATE TABLE debt_offsets (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reversal_id uuid NOT NULL REFERENCES reversals (id),
  transfer_id uuid NOT NULL REFERENCES seller_transfers (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  status text NOT NULL DEFAULT 'reserved' CHECK (status IN ('reserved', 'moved', 'reopened')),
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  ended_at timestamptz,
  CONSTRAINT offset_has_an_end CHECK ((status = 'reserved') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX debt_offsets_one_at_a_time ON debt_offsets (reversal_id) WHERE status <> 'reopened';
CREATE INDEX debt_offsets_of_reversal ON debt_offsets (reversal_id, id);
CREATE INDEX debt_offsets_of_transfer ON debt_offsets (transfer_id) WHERE status <> 'reopened';

-- Of one seller and one currency (T20), for a whole debt, and never said otherwise once it has ended.
CREATE FUNCTION guard_debt_offset() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_debt reversals;
  v_transfer seller_transfers;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.reversal_id, NEW.transfer_id, NEW.amount, NEW.currency) IS DISTINCT FROM (OLD.reversal_id, OLD.transfer_id, OLD.amount, OLD.currency)
      OR OLD.status <> 'reserved' THEN
      RAISE EXCEPTION 'offset %: what it is never changes, and it ends once', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  SELECT * INTO v_debt FROM reversals WHERE id = NEW.reversal_id;
  SELECT * INTO v_transfer FROM seller_transfers WHERE id = NEW.transfer_id;
  IF (v_debt.seller_account, v_debt.currency, v_transfer.currency, v_debt.amount) IS DISTINCT FROM
     (v_transfer.seller_account, NEW.currency, NEW.currency, NEW.amount) OR v_debt.debt_since IS NULL THEN
    RAISE EXCEPTION 'offset of reversal % against transfer %: another seller, currency or amount, or no debt', NEW.reversal_id, NEW.transfer_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER debt_offsets_guard BEFORE INSERT OR UPDATE ON debt_offsets FOR EACH ROW EXECUTE FUNCTION guard_debt_offset();
CREATE TRIGGER debt_offsets_keep BEFORE DELETE ON debt_offsets FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A transfer is lessened by exactly what its offsets come to.
CREATE FUNCTION guard_offset_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transfer uuid := CASE TG_TABLE_NAME WHEN 'debt_offsets' THEN (to_jsonb(NEW) ->> 'transfer_id')::uuid ELSE (to_jsonb(NEW) ->> 'id')::uuid END;
  v_lessened numeric;
  v_sum numeric;
BEGIN
  SELECT offset_amount INTO v_lessened FROM seller_transfers WHERE id = v_transfer;
  SELECT coalesce(sum(amount), 0) INTO v_sum FROM debt_offsets WHERE transfer_id = v_transfer AND status <> 'reopened';
  IF v_lessened <> v_sum THEN
    RAISE EXCEPTION 'transfer %: it is sent for % less, and its offsets come to %', v_transfer, v_lessened, v_sum USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER debt_offsets_sum AFTER INSERT OR UPDATE ON debt_offsets DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION guard_offset_sum();
CREATE CONSTRAINT TRIGGER seller_transfers_offset_sum AFTER UPDATE OF offset_amount ON seller_transfers DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.offset_amount <> OLD.offset_amount) EXECUTE FUNCTION guard_offset_sum();

-- As in 0007: what was surely not sent can also be offset.
CREATE OR REPLACE FUNCTION guard_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.order_id, NEW.seller_account, NEW.currency, NEW.promised, NEW.origin) IS DISTINCT FROM
     (OLD.order_id, OLD.seller_account, OLD.currency, OLD.promised, OLD.origin) THEN
    RAISE EXCEPTION 'transfer %: order, seller, currency and promise never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.withheld, NEW.offset_amount) IS DISTINCT FROM (OLD.withheld, OLD.offset_amount) AND OLD.certainty NOT IN ('not_sent', 'absent') THEN
    RAISE EXCEPTION 'transfer %: only what was surely not sent can be withheld or offset', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.stripe_transfer_id IS NOT NULL AND NEW.stripe_transfer_id IS DISTINCT FROM OLD.stripe_transfer_id THEN
    RAISE EXCEPTION 'transfer %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- As in 0052. What is split keeps what was counted of it; and the seller had what his transfer was lessened by.
CREATE OR REPLACE FUNCTION guard_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transfer seller_transfers;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.refund_id, NEW.withdrawal_id, NEW.transfer_id, NEW.order_id, NEW.seller_account, NEW.currency, NEW.part) IS DISTINCT FROM
       (OLD.refund_id, OLD.withdrawal_id, OLD.transfer_id, OLD.order_id, OLD.seller_account, OLD.currency, OLD.part)
      OR (NEW.amount <> OLD.amount AND NOT (OLD.certainty IN ('not_sent', 'absent') AND NEW.params IS NULL
        AND (OLD.counted = 0 OR (NEW.amount < OLD.amount AND NEW.amount >= OLD.counted))
        AND ((OLD.status IN ('pending', 'waiting_balance') AND NEW.status = OLD.status)
          OR (OLD.status = 'written_off' AND OLD.voided AND NEW.status = 'pending')))) THEN
      RAISE EXCEPTION 'reversal %: what it takes back, and from whom, never changes once it may have been sent', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stripe_reversal_id IS NOT NULL AND NEW.stripe_reversal_id IS DISTINCT FROM OLD.stripe_reversal_id THEN
      RAISE EXCEPTION 'reversal %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.offset_done AND NOT OLD.offset_done AND NOT EXISTS (SELECT 1 FROM debt_offsets WHERE reversal_id = NEW.id AND status = 'moved') THEN
      RAISE EXCEPTION 'reversal %: no transfer was sent for less because of it', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.amount = OLD.amount AND (NEW.status = OLD.status OR OLD.status <> 'written_off') THEN RETURN NEW; END IF;
  END IF;
  SELECT * INTO v_transfer FROM seller_transfers WHERE id = NEW.transfer_id FOR UPDATE;
  IF (v_transfer.order_id, v_transfer.seller_account, v_transfer.currency) IS DISTINCT FROM (NEW.order_id, NEW.seller_account, NEW.currency) THEN
    RAISE EXCEPTION 'reversal %: it belongs to another order, seller or currency than its transfer', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM reversals
    WHERE transfer_id = NEW.transfer_id AND id <> NEW.id AND status <> 'written_off';
  IF v_total + NEW.amount > v_transfer.amount + v_transfer.offset_amount THEN
    RAISE EXCEPTION 'reversal %: % with % already taken back exceeds the transfer of %', NEW.id, NEW.amount, v_total, v_transfer.amount + v_transfer.offset_amount
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- As in 0007: all of it is what was sent and what was offset.
CREATE OR REPLACE FUNCTION refresh_transfer(p_id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_was text;
  v_now text;
  v_reversed numeric;
  v_retry timestamptz;
BEGIN
  SELECT s.status, coalesce(sum(v.amount) FILTER (WHERE v.status = 'reversed'), 0),
      min(v.next_retry_at) FILTER (WHERE v.status IN ('pending', 'waiting_balance')),
      CASE
        WHEN bool_or(v.status = 'permanently_failed') THEN 'permanently_failed'
        WHEN bool_or(v.status IN ('pending', 'waiting_balance')) THEN 'reversal_pending'
        WHEN coalesce(sum(v.amount) FILTER (WHERE v.status = 'reversed'), 0) = s.amount + s.offset_amount THEN 'reversed'
        WHEN bool_or(v.status = 'reversed') THEN 'partially_reversed'
        ELSE 'completed'
      END
    INTO v_was, v_reversed, v_retry, v_now
    FROM seller_transfers s LEFT JOIN reversals v ON v.transfer_id = s.id
    WHERE s.id = p_id AND s.completed_at IS NOT NULL GROUP BY s.id;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF v_was <> v_now AND NOT may_become('transfer', v_was, v_now) THEN
    UPDATE seller_transfers SET status = 'reversal_pending' WHERE id = p_id;
  END IF;
  UPDATE seller_transfers SET amount_reversed = v_reversed, status = v_now,
      next_retry_at = CASE WHEN v_now = 'reversal_pending' THEN v_retry END
    WHERE id = p_id;
  RETURN v_now;
END $$;

-- As in 0047. What is owed has no look of its own that could ask, and of what was offset nothing is gone at Stripe.
CREATE OR REPLACE FUNCTION ask_about_others(p_transfer uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t seller_transfers;
  v_ids text[];
  v_taken numeric;
  v_gone numeric;
BEGIN
  SELECT array_agg(f.stripe_reversal_id ORDER BY f.stripe_reversal_id) INTO v_ids
    FROM foreign_reversals f WHERE f.transfer_id = p_transfer AND NOT f.told
      AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.transfer_id = p_transfer AND (r.stripe_reversal_id = f.stripe_reversal_id
        OR f.stripe_reversal_id = ANY (r.others_shown) AND NOT r.voided AND NOT f.freed))
      AND coalesce((SELECT sum(d.amount) FROM foreign_decisions d WHERE d.stripe_reversal_id = f.stripe_reversal_id), 0)
        < CASE WHEN f.freed THEN f.amount ELSE 1 END;
  IF v_ids IS NULL THEN RETURN; END IF;
  SELECT * INTO t FROM seller_transfers WHERE id = p_transfer;
  IF t.attention_reason IS NOT NULL OR t.stripe_transfer_id IS NULL OR EXISTS (SELECT 1 FROM reversals
    WHERE transfer_id = p_transfer AND status IN ('pending', 'waiting_balance', 'permanently_failed') AND debt_since IS NULL) THEN RETURN; END IF;
  SELECT sum(f.amount) INTO v_taken FROM foreign_reversals f WHERE f.transfer_id = p_transfer
    AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.stripe_reversal_id = f.stripe_reversal_id);
  SELECT v_taken + coalesce(sum(amount - counted), 0) INTO v_gone FROM reversals WHERE transfer_id = p_transfer AND status = 'reversed' AND NOT offset_done;
  UPDATE foreign_reversals SET told = true WHERE stripe_reversal_id = ANY (v_ids);
  UPDATE seller_transfers SET attention_since = clock_now(),
      attention_reason = CASE WHEN v_gone >= amount THEN 'foreign_reversal' ELSE 'partly_foreign_reversal' END,
      attention_detail = format('somebody else took %s %s of it back at Stripe (not told so far, or for a share that is no longer due: %s), and no share is due now: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt',
        v_taken, currency, array_to_string(v_ids[1:5], ', '))
    WHERE id = p_transfer;
END $$;
