-- What is finished and has not changed for long is put aside: `archived_at` leaves it out of the lists and of their indexes, and of nothing else. The
-- row, its names, its keys and the chain of its events stay as they are (docs/retention.md). Whatever happens to it takes it out again.
--
-- Upgrade: the indexes are empty and the triggers change no row; it takes as long as the locks on these tables.

/* What a pass has looked at last; the next one goes on there. */
CREATE TABLE retention_marks (
  kind text PRIMARY KEY CHECK (kind IN ('settlement', 'order')),
  after uuid,
  at timestamptz NOT NULL DEFAULT clock_now()
);

CREATE INDEX settlements_archived ON settlements (id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX orders_archived ON orders (id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX payments_archived ON payments (id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX refunds_archived ON refunds (id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX seller_transfers_archived ON seller_transfers (id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX reversals_archived ON reversals (created_at DESC, id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX disputes_archived ON disputes (id DESC) WHERE archived_at IS NOT NULL;

/* An order and everything that came of it is put aside and taken out as one. */
CREATE FUNCTION take_out_order(p_order uuid) RETURNS void LANGUAGE sql AS $$
  UPDATE orders SET archived_at = NULL WHERE id = p_order AND archived_at IS NOT NULL;
  UPDATE payments SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE refunds SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE seller_transfers SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE reversals SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE disputes SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
$$;

/* Whatever changes is not finished long ago. That somebody has looked whether there are disputes changes nothing. */
CREATE FUNCTION changed_is_taken_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(NEW) - 'disputes_look_at' IS DISTINCT FROM to_jsonb(OLD) - 'disputes_look_at' THEN NEW.archived_at := NULL; END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION family_is_taken_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM take_out_order(CASE TG_TABLE_NAME WHEN 'orders' THEN (to_jsonb(NEW) ->> 'id')::uuid ELSE (to_jsonb(NEW) ->> 'order_id')::uuid END);
  RETURN NULL;
END $$;
/* What is new of an order holds its row by the foreign key, which is checked before: whoever puts it aside meanwhile is waited for, and seen. */
CREATE FUNCTION order_is_taken_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM orders WHERE id = NEW.order_id AND archived_at IS NOT NULL;
  IF FOUND THEN PERFORM take_out_order(NEW.order_id); END IF;
  RETURN NULL;
END $$;
/* A drift or a decision about an item. */
CREATE FUNCTION item_is_taken_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_order uuid;
BEGIN
  IF NEW.item_kind = 'settlement' THEN
    PERFORM 1 FROM settlements WHERE id = NEW.item_id FOR KEY SHARE;
    UPDATE settlements SET archived_at = NULL WHERE id = NEW.item_id AND archived_at IS NOT NULL;
    RETURN NULL;
  END IF;
  EXECUTE format('SELECT order_id FROM %I WHERE id = $1',
    CASE NEW.item_kind WHEN 'payment' THEN 'payments' WHEN 'refund' THEN 'refunds' WHEN 'transfer' THEN 'seller_transfers'
      WHEN 'reversal' THEN 'reversals' ELSE 'disputes' END) INTO v_order USING NEW.item_id;
  PERFORM 1 FROM orders WHERE id = v_order FOR KEY SHARE;
  PERFORM 1 FROM orders WHERE id = v_order AND archived_at IS NOT NULL;
  IF FOUND THEN PERFORM take_out_order(v_order); END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER settlements_leave_archive BEFORE UPDATE ON settlements FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER orders_leave_archive BEFORE UPDATE ON orders FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER orders_left_archive AFTER UPDATE ON orders FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION family_is_taken_out();
CREATE TRIGGER payments_leave_archive BEFORE UPDATE ON payments FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER payments_left_archive AFTER UPDATE ON payments FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION family_is_taken_out();
CREATE TRIGGER refunds_leave_archive BEFORE UPDATE ON refunds FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER refunds_left_archive AFTER UPDATE ON refunds FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION family_is_taken_out();
CREATE TRIGGER seller_transfers_leave_archive BEFORE UPDATE ON seller_transfers FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER seller_transfers_left_archive AFTER UPDATE ON seller_transfers FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION family_is_taken_out();
CREATE TRIGGER reversals_leave_archive BEFORE UPDATE ON reversals FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER reversals_left_archive AFTER UPDATE ON reversals FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION family_is_taken_out();
CREATE TRIGGER disputes_leave_archive BEFORE UPDATE ON disputes FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION changed_is_taken_out();
CREATE TRIGGER disputes_left_archive AFTER UPDATE ON disputes FOR EACH ROW
  WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION family_is_taken_out();
CREATE TRIGGER payments_of_archived AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION order_is_taken_out();
CREATE TRIGGER refunds_of_archived AFTER INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION order_is_taken_out();
CREATE TRIGGER seller_transfers_of_archived AFTER INSERT ON seller_transfers FOR EACH ROW EXECUTE FUNCTION order_is_taken_out();
CREATE TRIGGER reversals_of_archived AFTER INSERT ON reversals FOR EACH ROW EXECUTE FUNCTION order_is_taken_out();
CREATE TRIGGER disputes_of_archived AFTER INSERT ON disputes FOR EACH ROW EXECUTE FUNCTION order_is_taken_out();
CREATE TRIGGER drifts_of_archived AFTER INSERT OR UPDATE ON drifts FOR EACH ROW
  WHEN (NEW.item_id IS NOT NULL AND NEW.state <> 'closed') EXECUTE FUNCTION item_is_taken_out();
CREATE TRIGGER decisions_of_archived AFTER INSERT ON decisions FOR EACH ROW
  WHEN (NEW.state = 'pending_approval') EXECUTE FUNCTION item_is_taken_out();
