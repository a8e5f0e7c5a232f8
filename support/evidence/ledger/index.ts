export { appendEntry, repeatable, type EntryFacts, type Recorded } from './record';
export { ledgerFiles, ledgerFolder } from './place';
export { filesOf, type Keepsake } from './objects';
export { commonSources, sourceOf } from './sources';
export { entryId, type Entry, type Source } from './entry';
