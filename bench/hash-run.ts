import { hashContent } from '../support/erp/content-hash';
import { runMain } from '../support/failure';
import { connectSystems } from '../support/systems';

/** Hashes the database it is called with, and nothing else: what that takes is measured from outside. */
runMain(async () => {
  const { total } = await hashContent(connectSystems().postgres, process.argv[2] ?? '');
  console.log(total);
  return 0;
});
