import { z } from 'zod';

/**
 * What one instance is called in every system: a row of the feature's table (seed 003). The names are written there by
 * hand and nowhere derived, so that a mistake in the project's own naming cannot confirm itself.
 */
export const expectedInstance = z.strictObject({
  instance: z.string().min(1),
  database: z.string().min(1),
  'owner role': z.string().min(1),
  namespace: z.string().min(1),
  credentials: z.string().min(1),
  config: z.string().min(1),
  application: z.string().min(1),
  host: z.string().min(1),
  repository: z.string().min(1),
  'CI role': z.string().min(1),
});

export type ExpectedInstance = z.infer<typeof expectedInstance>;

/** Reads the rows of the feature's table. @throws ZodError naming the column that lacks. */
export function readExpected(rows: readonly Record<string, string>[]): ExpectedInstance[] {
  return z.array(expectedInstance).min(1).parse(rows);
}

/** Beside the instances' own: who may read the prod ERP for the golden that its sandbox is reset to (postgres/iac, golden.tf). */
export const goldenRole = 'erp_golden';
export const goldenCredentials = 'erp-golden';

/** What the scheduled backup of Vault logs in as, and may read: role and policy of the platform's own. */
export const backupsLogin = 'backups';
