import { isOf, typeOf, valueText, type Columns, type RowOf, type Spec } from './columns.ts';
import { refusal } from './refusal.ts';
import { Blocked, type HeldRow, type Transaction } from './transaction.ts';

export interface TableShape<C extends Columns> {
  readonly name: string;
  readonly columns: C;
  /** The columns of the primary key. */
  readonly key: readonly (keyof C & string)[];
  /** Further unique constraints. */
  readonly unique?: readonly (readonly (keyof C & string)[])[];
  /** By which statements look rows up. */
  readonly indexes?: readonly (keyof C & string)[];
  /** By column, the table whose id it holds. */
  readonly references?: Readonly<Record<string, string>>;
  /** Columns that an insert may leave out. Times: when the transaction began. */
  readonly defaults?: (nowUs: number) => Values;
}

interface Version<Row> {
  row: Row | undefined;
  at: number;
}

/** One key of a table, with what was committed under it last, and what the transaction that holds it has made of it. */
class Slot<Row> implements HeldRow {
  readonly key: string;
  readonly #table: Upkeep<Row>;
  committed: Row | undefined;
  /** The number of the commit that made it. */
  at = 0;
  /** What readers of old snapshots may still see, oldest first. */
  older: Version<Row>[] = [];
  holder: Transaction | undefined;
  isWritten = false;
  pending: Row | undefined;
  /** Where indexes have it. */
  readonly places: { index: Map<unknown, Set<Slot<Row>>>; value: unknown }[] = [];

  constructor(key: string, table: Upkeep<Row>) {
    this.key = key;
    this.#table = table;
  }

  seenBy(transaction: Transaction): Row | undefined {
    if (this.holder === transaction && this.isWritten) return this.pending;
    const { snapshot } = transaction;
    if (snapshot === undefined || this.at <= snapshot) return this.committed;
    return this.older.findLast((version) => version.at <= snapshot)?.row;
  }

  save(): () => void {
    const { isWritten, pending } = this;
    return () => {
      this.isWritten = isWritten;
      this.pending = pending;
    };
  }

  before(): () => void {
    const { committed } = this;
    return () => this.#table.restore(this.key, committed);
  }

  settle(at: number | undefined): void {
    const { isWritten, pending } = this;
    this.holder = undefined;
    this.isWritten = false;
    this.pending = undefined;
    if (at !== undefined && isWritten) {
      if (this.#table.keepsOld()) this.older.push({ row: this.committed, at: this.at });
      else this.older = [];
      this.committed = pending;
      this.at = at;
    }
    if (this.committed === undefined && this.older.length === 0) this.#table.drop(this);
  }
}

/** What a slot needs of its table. */
interface Upkeep<Row> {
  keepsOld(): boolean;
  drop(slot: Slot<Row>): void;
  restore(key: string, row: Row | undefined): void;
}

/** Nothing, or the columns that the present row takes over, and the one that holds when it did. */
export type OnConflict = 'nothing' | { takes: readonly string[]; touches?: string };

type Upserted = 'inserted' | 'updated' | 'nothing';

/** What writing needs of a table, whichever it is. */
export interface WritableTable {
  readonly shape: {
    readonly name: string;
    readonly columns: Columns;
    readonly references?: Readonly<Record<string, string>>;
  };
  keyOf(values: Values): string;
  insert(transaction: Transaction, values: Values): void;
  upsert(transaction: Transaction, values: Values, how: { onConflict: OnConflict; isOwn: boolean }): Upserted;
  overwrite(transaction: Transaction, values: Values): boolean;
  remove(transaction: Transaction, key: string): boolean;
}

type Values = Readonly<Record<string, unknown>>;

/** Rows by primary key, with the locks and versions that read committed needs. Rows are never changed, only replaced. */
export class Table<C extends Columns> implements WritableTable {
  readonly shape: TableShape<C>;
  readonly #slots = new Map<string, Slot<RowOf<C>>>();
  readonly #indexes = new Map<string, Map<unknown, Set<Slot<RowOf<C>>>>>();
  readonly #unique: readonly (readonly string[])[];
  readonly #keepsOld: () => boolean;
  readonly #specs: readonly (readonly [string, Spec])[];

  /** @param keepsOld whether anybody reads an old snapshot */
  constructor(shape: TableShape<C>, keepsOld: () => boolean) {
    this.shape = shape;
    this.#keepsOld = keepsOld;
    this.#specs = Object.entries(shape.columns).map(([name, spec]) => [name, typeOf(spec)]);
    this.#unique = shape.unique ?? [];
    for (const column of shape.indexes ?? []) this.#indexes.set(column, new Map());
    for (const columns of this.#unique) this.#indexes.set(columns.join(' '), new Map());
  }

  get columns(): string[] {
    return Object.keys(this.shape.columns);
  }

  keyOf(row: Values): string {
    return partsOf(row, this.shape.key);
  }

  get(transaction: Transaction, ...key: readonly (string | number)[]): RowOf<C> | undefined {
    return this.#slots.get(joined(key))?.seenBy(transaction);
  }

  /** Rows that have a value in an indexed column, in the order in which they came. */
  find(transaction: Transaction, column: keyof C & string, value: unknown): RowOf<C>[] {
    const index = this.#indexes.get(column);
    if (index === undefined) throw new Error(`table ${this.shape.name} has no index on ${column}`);
    const found: RowOf<C>[] = [];
    for (const slot of index.get(value) ?? []) {
      const row = slot.seenBy(transaction);
      if (row !== undefined && row[column] === value) found.push(row);
    }
    return found;
  }

  *rows(transaction: Transaction): Generator<RowOf<C>> {
    for (const slot of this.#slots.values()) {
      const row = slot.seenBy(transaction);
      if (row !== undefined) yield row;
    }
  }

  /** Puts a row there that may not be there yet. @throws DatabaseError 23505, 23502, Blocked */
  insert(transaction: Transaction, values: Values): void {
    const row = this.#checked({ ...this.shape.defaults?.(transaction.nowUs), ...values });
    const key = this.keyOf(row);
    const slot = this.#slots.get(key) ?? this.#newSlot(key);
    this.#checkFree(transaction, slot, `${this.shape.name}_pkey`);
    for (const columns of this.#unique) {
      const value = partsOf(row, columns);
      for (const other of this.#indexes.get(columns.join(' '))?.get(value) ?? []) {
        const present = other.holder === transaction && other.isWritten ? other.pending : other.committed;
        const coming = other.isWritten ? other.pending : undefined;
        if ([present, coming].some((each) => each !== undefined && partsOf(each, columns) === value))
          this.#checkFree(transaction, other, `${this.shape.name}_${columns.join('_')}_key`);
      }
    }
    this.#take(transaction, slot);
    this.#write(transaction, slot, row);
  }

  /** Locks a row. @returns as it is then @throws Blocked */
  lock(transaction: Transaction, row: RowOf<C>): RowOf<C> | undefined {
    const slot = this.#slots.get(this.keyOf(row));
    if (slot === undefined) return undefined;
    this.#take(transaction, slot);
    return slot.seenBy(transaction);
  }

  /** Whether another transaction holds a row. */
  isHeld(transaction: Transaction, row: RowOf<C>): boolean {
    const holder = this.#slots.get(this.keyOf(row))?.holder;
    return holder !== undefined && holder !== transaction;
  }

  /** The row of a key that an insert would collide with, locked: one that others are about to commit is waited for. @throws Blocked */
  existing(transaction: Transaction, values: Values, { locks }: { locks: boolean }): RowOf<C> | undefined {
    const slot = this.#slots.get(this.keyOf(values));
    if (slot === undefined) return undefined;
    if (slot.holder !== undefined && slot.holder !== transaction && (slot.isWritten || locks))
      throw new Blocked(slot.holder);
    const present = slot.seenBy(transaction);
    if (present !== undefined && locks) this.#take(transaction, slot);
    return present;
  }

  /**
   * INSERT … ON CONFLICT.
   * @param how.isOwn the statement has written this key already
   * @throws DatabaseError 21000, and as `insert`
   */
  upsert(transaction: Transaction, values: Values, how: { onConflict: OnConflict; isOwn: boolean }): Upserted {
    const { onConflict } = how;
    const present = this.existing(transaction, values, { locks: onConflict !== 'nothing' });
    if (present === undefined) {
      this.insert(transaction, values);
      return 'inserted';
    }
    if (onConflict === 'nothing') return 'nothing';
    if (how.isOwn) throw refusal('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time');
    const changes = Object.fromEntries(onConflict.takes.map((column) => [column, values[column]]));
    if (onConflict.touches !== undefined) changes[onConflict.touches] = transaction.nowUs;
    this.update(transaction, present, changes);
    return 'updated';
  }

  /** Puts values into the row that has their key. @returns whether there is one @throws Blocked */
  overwrite(transaction: Transaction, values: Values): boolean {
    const present = this.#slots.get(this.keyOf(values))?.seenBy(transaction);
    if (present === undefined) return false;
    this.update(transaction, present, values);
    return true;
  }

  /** @returns whether there was such a row @throws Blocked */
  remove(transaction: Transaction, key: string): boolean {
    const present = this.#slots.get(key)?.seenBy(transaction);
    if (present === undefined) return false;
    this.delete(transaction, present);
    return true;
  }

  /** @throws Blocked */
  update(transaction: Transaction, row: RowOf<C>, changes: Values): RowOf<C> {
    const slot = this.#slots.get(this.keyOf(row));
    if (slot === undefined) throw new Error(`a row of ${this.shape.name} that is to be changed is not there`);
    this.#take(transaction, slot);
    const changed = this.#checked({ ...row, ...changes });
    this.#write(transaction, slot, changed);
    return changed;
  }

  /** @throws Blocked */
  delete(transaction: Transaction, row: RowOf<C>): void {
    const slot = this.#slots.get(this.keyOf(row));
    if (slot === undefined) return;
    this.#take(transaction, slot);
    this.#write(transaction, slot, undefined);
  }

  /** As a crash does to an unlogged table. */
  clear(): void {
    this.#slots.clear();
    for (const index of this.#indexes.values()) index.clear();
  }

  /** What is committed, each column as text, in the order of the key. */
  dump(): (string | null)[][] {
    return [...this.#slots.values()]
      .flatMap(({ key, committed }) => (committed === undefined ? [] : [{ key, row: committed }]))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ row }) => this.#specs.map(([name, { type }]) => valueText(type, row[name])));
  }

  /** The number of the commit that a row was last changed by: for invariants. */
  commitOf(...key: readonly (string | number)[]): number {
    const slot = this.#slots.get(joined(key));
    if (slot?.committed === undefined) throw new Error(`no such row of ${this.shape.name} is committed`);
    return slot.at;
  }

  /** What is committed, by itself: for invariants. */
  *committed(): Generator<RowOf<C>> {
    for (const { committed } of this.#slots.values()) if (committed !== undefined) yield committed;
  }

  #newSlot(key: string): Slot<RowOf<C>> {
    const slot = new Slot<RowOf<C>>(key, {
      keepsOld: this.#keepsOld,
      drop: (each) => this.#drop(each),
      restore: (each, row) => this.#restore(each, row),
    });
    this.#slots.set(key, slot);
    return slot;
  }

  #checkFree(transaction: Transaction, slot: Slot<RowOf<C>>, constraint: string): void {
    if (slot.holder !== undefined && slot.holder !== transaction && slot.isWritten) throw new Blocked(slot.holder);
    if (slot.seenBy(transaction) === undefined) return;
    const error = refusal('23505', `duplicate key value violates unique constraint "${constraint}"`);
    error.detail = `Key ${slot.key.replaceAll('\0', ', ')} already exists.`;
    throw error;
  }

  /** @throws DatabaseError 23502 */
  #checked(values: Values): RowOf<C> {
    const { name, columns } = this.shape;
    for (const [column, spec] of this.#specs) {
      if (values[column] === null && !spec.isNullable)
        throw refusal('23502', `null value in column "${column}" of relation "${name}" violates not-null constraint`);
    }
    if (!isOf(columns, this.#specs, values)) throw new Error(`these are no values of a row of ${name}`);
    return values;
  }

  #take(transaction: Transaction, slot: Slot<RowOf<C>>): void {
    if (slot.holder === transaction) return;
    if (slot.holder !== undefined) throw new Blocked(slot.holder);
    slot.holder = transaction;
    transaction.hold(slot);
  }

  #write(transaction: Transaction, slot: Slot<RowOf<C>>, row: RowOf<C> | undefined): void {
    transaction.saving(slot);
    slot.isWritten = true;
    slot.pending = row;
    if (row !== undefined) this.#index(slot, row);
  }

  #index(slot: Slot<RowOf<C>>, row: RowOf<C>): void {
    for (const [columns, index] of this.#indexes) {
      const value = indexValue(row, columns);
      const slots = index.get(value);
      if (slots?.has(slot) === true) continue;
      if (slots === undefined) index.set(value, new Set([slot]));
      else slots.add(slot);
      slot.places.push({ index, value });
    }
  }

  #drop(slot: Slot<RowOf<C>>): void {
    this.#slots.delete(slot.key);
    for (const { index, value } of slot.places.splice(0)) {
      const slots = index.get(value);
      slots?.delete(slot);
      if (slots?.size === 0) index.delete(value);
    }
  }

  #restore(key: string, row: RowOf<C> | undefined): void {
    const slot = this.#slots.get(key) ?? (row === undefined ? undefined : this.#newSlot(key));
    if (slot === undefined) return;
    slot.committed = row;
    if (row === undefined) this.#drop(slot);
    else this.#index(slot, row);
  }
}

function joined(key: readonly (string | number)[]): string {
  return key.length === 1 ? String(key[0]) : key.join('\0');
}

function partsOf(row: Values, columns: readonly string[]): string {
  return columns.length === 1 ? String(row[columns[0] ?? '']) : columns.map((column) => String(row[column])).join('\0');
}

function indexValue(row: Values, columns: string): unknown {
  const names = columns.split(' ');
  return names.length === 1 ? row[columns] : partsOf(row, names);
}
