/** One item as JSON, and the same in lines for a person. */
export interface ItemView {
  readonly answer: object;
  readonly lines: readonly string[];
  readonly workflowId?: string | null;
}
