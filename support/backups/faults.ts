import { stoppedService } from '../fault';

/** OpenTofu's states and the backups are out of reach. */
export const bucketStopped = stoppedService('bucket-stopped', 'The bucket is stopped.', 'operator_side', 'bucket');
