import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Imported before everything else: journals and undo records of tests lie apart from those of real drills.
process.env['REPORTS_OUT'] = mkdtempSync(join(tmpdir(), 'drill-reports-'));
process.env['LAB_HOME'] = mkdtempSync(join(tmpdir(), 'drill-lab-'));
