import { Client, DatabaseError, type QueryResultRow } from 'pg';
import { z } from 'zod';
import { redactor } from '../evidence/redaction';
import type { Inventory } from '../inventory';
import { assertAllowed } from '../isolation';
import { ProductError } from '../product-error';
import { withTransport } from '../transport';
import { readPostgresAdmin, type Login } from '../sandbox-secrets';

/** One open connection. */
export class PostgresConnection {
  constructor(private readonly client: Client) {}

  /** Runs one statement; each row is validated. @throws ProductError with the SQLSTATE */
  async rows<T>(sql: string, values: unknown[], shape: z.ZodType<T>): Promise<T[]> {
    const result = await refusalsTyped(purpose(sql), () => this.client.query<QueryResultRow>(sql, values));
    return result.rows.map((row) => shape.parse(row));
  }

  /** Runs statements whose rows do not matter. @throws ProductError with the SQLSTATE */
  async execute(sql: string): Promise<void> {
    await refusalsTyped(purpose(sql), () => this.client.query(sql));
  }
}

/** Postgres behind one address (itself or PgBouncer) as one user. */
export class PostgresClient {
  constructor(
    /** `host:port` */
    readonly address: string,
    readonly login: Login,
  ) {
    assertAllowed(address);
    redactor.register(login.password);
  }

  /** The same server as another user. */
  as(login: Login): PostgresClient {
    return new PostgresClient(this.address, login);
  }

  /**
   * Opens a connection, hands it to `work`, and closes it on every outcome. Only the opening is tried again, and only
   * when the transport failed. @param queryTimeoutMs longest one statement may take. @throws ProductError with the SQLSTATE
   */
  async connected<T>(
    database: string,
    work: (connection: PostgresConnection) => Promise<T>,
    queryTimeoutMs = 15_000,
  ): Promise<T> {
    const client = await withTransport(() => this.open(database, queryTimeoutMs));
    try {
      return await work(new PostgresConnection(client));
    } finally {
      await client.end();
    }
  }

  /** One statement on a connection of its own. */
  async rows<T>(database: string, sql: string, values: unknown[], shape: z.ZodType<T>): Promise<T[]> {
    return this.connected(database, (connection) => connection.rows(sql, values, shape));
  }

  private async open(database: string, queryTimeoutMs: number): Promise<Client> {
    const [host, port] = this.address.split(':');
    const client = new Client({
      host,
      port: Number(port),
      user: this.login.username,
      password: this.login.password,
      database,
      connectionTimeoutMillis: 5_000,
      query_timeout: queryTimeoutMs,
      // Given, because node-postgres takes what is not given from the caller's shell: PGOPTIONS may move the search path.
      options: '-c search_path=public',
      application_name: 'sandbox-acceptance',
      ssl: false,
    });
    // An idle connection that the server ends must not end the suite; the next statement reports it.
    client.on('error', () => undefined);
    await refusalsTyped(`connect to ${database} as ${this.login.username}`, () => client.connect());
    return client;
  }
}

async function refusalsTyped<T>(request: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (thrown) {
    if (thrown instanceof DatabaseError) {
      throw new ProductError('Postgres', thrown.code ?? 'unknown', request, thrown.message, thrown);
    }
    // node-postgres has no code for a server that takes the connection and then says nothing.
    if (thrown instanceof Error && /timeout expired|Query read timeout/.test(thrown.message)) {
      throw new ProductError('Postgres', 'timeout', request, 'no answer in time', thrown);
    }
    throw thrown;
  }
}

/** What a statement is for, without its values. */
function purpose(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim().slice(0, 80);
}

/** The sandbox's Postgres as the provisioner (superuser). @throws OperatorError when the credential is missing. */
export function connectPostgres(inventory: Inventory): PostgresClient {
  return new PostgresClient(inventory.endpoints.postgres, readPostgresAdmin());
}

/** The way the applications go: through PgBouncer, with a leased login. */
export function throughPgBouncer(inventory: Inventory, login: Login): PostgresClient {
  return new PostgresClient(inventory.endpoints.pgbouncer, login);
}
