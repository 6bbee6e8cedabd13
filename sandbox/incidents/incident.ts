/** What went wrong on purpose, and what the commands of docs/runbooks/incidents.md need to know of it. */
export interface Planted {
  /** What stands for `<id>`, `<seller>`, … in the commands of the page. */
  readonly names: Readonly<Record<string, string>>;
  /** Where it is seen, below the address of the console. */
  readonly page: string;
}

/** One thing that can go wrong at night. Planted once more it is another one, beside the first. */
export interface Incident<World> {
  readonly name: string;
  /** In a line, for whoever reads what was planted. */
  readonly says: string;
  /** Resolves once it can be seen. @throws where it did not come about */
  plant(world: World): Promise<Planted>;
}
