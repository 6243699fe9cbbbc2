/** Members of HostConfig.Annotations that our engine honours beside what the Docker Engine API can say; others only keep them. */
export const annotations = {
  /** How long to wait before each restart by policy, "5s"; otherwise the wait grows from 100 ms. */
  restartDelay: 'io.tscompose.restart.delay',
  /** How long a container that was started again must run, "10s", for that not to count as one more failure. */
  restartWindow: 'io.tscompose.restart.window',
  /** How often it is started again at most, for policies that know no number. */
  restartAttempts: 'io.tscompose.restart.max-attempts',
} as const
