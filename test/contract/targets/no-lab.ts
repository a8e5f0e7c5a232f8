import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Before all other imports: a machine on which no lab was ever up. */
const folder = mkdtempSync(join(tmpdir(), 'target-embedded-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.env['LAB_HOME'] = folder;
delete process.env['TARGET'];
