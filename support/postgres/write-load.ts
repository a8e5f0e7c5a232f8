import { z } from 'zod';
import { reason } from '../failure';
import type { Finding } from '../finding';
import type { PostgresClient } from './client';

/** A table of its own in the database that every server has. */
const database = 'postgres';
const table = 'drill_write_load';

/** A client that writes row after row, numbered from 1, and remembers which of them were acknowledged. */
export class WriteLoad {
  private stopped = false;
  private ended: Promise<string> | undefined;

  /** @param acknowledged how many rows were, where another process had them written. */
  constructor(
    private readonly postgres: PostgresClient,
    private acknowledged = 0,
  ) {}

  /** How many rows were acknowledged. */
  get rows(): number {
    return this.acknowledged;
  }

  /** Begins to write; each row is a transaction of its own. */
  async begin(): Promise<void> {
    const made = `drop table if exists ${table}; create table ${table} (id bigint primary key)`;
    await this.postgres.connected(database, (connection) => connection.execute(made));
    this.ended = this.write();
  }

  private async write(): Promise<string> {
    try {
      return await this.postgres.connected(database, async (connection) => {
        for (let id = 1; !this.stopped; id += 1) {
          await connection.rows(`insert into ${table} values ($1) returning id`, [id], z.object({}).loose());
          this.acknowledged = id;
        }
        return 'stopped';
      });
    } catch (thrown) {
      return reason(thrown);
    }
  }

  /** Whether enough was written for a cut to fall into the midst of it. */
  probeWriting(): Promise<Finding> {
    const { rows } = this;
    const status = rows >= 20 ? 'met' : 'unmet';
    return Promise.resolve({
      subject: 'write load',
      status,
      expected: 'at least 20 rows',
      actual: `${rows} rows`,
      source: 'the client',
    });
  }

  /** Ends the writing. @returns what ended it: the power cut, or this call. */
  async end(): Promise<string> {
    this.stopped = true;
    return (await this.ended) ?? 'not begun';
  }

  /** Whether every row that was acknowledged is there. */
  async probeNothingLost(): Promise<Finding> {
    const rows = await this.postgres.rows(database, `select id from ${table}`, [], z.object({ id: z.coerce.number() }));
    const kept = new Set(rows.map(({ id }) => id));
    const all = this.acknowledged;
    const lost = Array.from({ length: all }, (_, index) => index + 1).filter((id) => !kept.has(id));
    return {
      subject: 'rows acknowledged before the power cut',
      status: all > 0 && lost.length === 0 ? 'met' : 'unmet',
      expected: `${all}, all there`,
      actual: lost.length === 0 ? `${kept.size} there` : `lost: ${lost.slice(0, 10).join(', ')}`,
      source: `select from ${table}`,
    };
  }

  /** Takes the table away. */
  async remove(): Promise<void> {
    await this.postgres.connected(database, (connection) => connection.execute(`drop table if exists ${table}`));
  }
}
