import { type Dispute, type HeardDispute, isHeard } from '../http/dispute-objects.js';
import type { Fields } from '../http/objects.js';
import type { Writer } from './writer.js';

/** Every dispute, by id, those too that Hyperswitch has not heard of. */
export interface DisputeBook {
  dispute(id: string): Dispute | undefined;
  disputes(): readonly Dispute[];
  /** What Hyperswitch shows: newest change first. */
  heard(paymentId?: string): readonly HeardDispute[];
  /** News is told once it is on disk, where the status is another one. */
  keep(dispute: Dispute): Promise<Dispute>;
  replay(entry: Fields): boolean;
  clear(): void;
}

export function createDisputeBook(writer: Writer, onChange: (dispute: HeardDispute) => void): DisputeBook {
  const disputes = new Map<string, Dispute>();
  return {
    dispute: (id) => disputes.get(id),
    disputes: () => Array.from(disputes.values()),
    heard: (paymentId) =>
      Array.from(disputes.values())
        .filter(isHeard)
        .filter((dispute) => paymentId === undefined || dispute.paymentId === paymentId)
        .sort((a, b) => b.updatedMs - a.updatedMs || (a.id < b.id ? -1 : 1)),
    async keep(dispute) {
      const before = disputes.get(dispute.id);
      disputes.set(dispute.id, dispute);
      await writer.write({ t: 'dispute', ...dispute });
      if (isHeard(dispute) && dispute.status !== before?.status) onChange(dispute);
      return dispute;
    },
    replay({ t: kind, ...object }) {
      if (kind !== 'dispute') return false;
      disputes.set(String(object.id), object as unknown as Dispute);
      return true;
    },
    clear: () => disputes.clear(),
  };
}
