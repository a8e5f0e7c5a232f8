import { z } from 'zod';

/** Media type of the attachment that says why a scenario was skipped; the reports read it back. */
export const skipMediaType = 'application/vnd.sandbox-acceptance.skip+json';

export const skipNote = z.object({ kind: z.enum(['capability', 'environment']), why: z.string().min(1) });

/** Why a scenario was not run. */
export type SkipNote = z.infer<typeof skipNote>;
