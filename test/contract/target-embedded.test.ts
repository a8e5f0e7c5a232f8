import './targets/no-lab';
import { capabilities, selectTarget } from '../../support/target';
import { keepsTheContract } from './targets/contract';

// The lab's folder is empty: what holds of it without root and without a lab. Its parts are asked of its own command.
keepsTheContract(
  { name: 'embedded', capabilities, silent: 'apps', parts: false, occupiable: process.getuid?.() === 0 },
  () => selectTarget(),
);
