/** What was measured, by round and name: ratios are of two figures of the same round. */
export class Samples {
  readonly #rounds: Map<string, number>[] = [];

  begin(): void {
    this.#rounds.push(new Map());
  }

  /** Undefined is kept as nothing. */
  set(name: string, value: number | undefined): void {
    if (value !== undefined) this.#rounds.at(-1)?.set(name, value);
  }

  /** Of the rounds that have it. */
  of(name: string): number[] {
    return this.#rounds.flatMap((round) => round.get(name) ?? []);
  }

  /** Of the rounds that have both. */
  ratios(name: string, to: string): number[] {
    return this.#rounds.flatMap((round) => {
      const [value, other] = [round.get(name), round.get(to)];
      return value === undefined || other === undefined ? [] : [value / other];
    });
  }
}
