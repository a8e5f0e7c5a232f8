import { writeSync } from 'node:fs';
import { append } from '../../support/evidence/ledger/append';
import { sampleEntry } from './sample';

// Appends to the ledger named, and says each entry's number when it is kept: a process for other tests to kill.
const [folder = '', limit = '1000000'] = process.argv.slice(2);
for (let number = 0; number < Number(limit); number++) {
  // Of growing size: a kill must also fall into a long write.
  const { seq } = append(folder, sampleEntry(number, { summary: 'x'.repeat((number % 7) * 3000) }));
  writeSync(1, `${seq}\n`);
}
