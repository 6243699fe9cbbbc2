/** Jobs and their runs as rows. */
import type { Job, JobRun } from '../api/keeper.ts'

export interface JobRow {
  readonly Stack: string
  readonly Service: string
  readonly Schedule: string
  /** RFC 3339, empty when it never comes again. */
  readonly Next: string
  /** When the last run was due, RFC 3339; empty when there was none. */
  readonly Last: string
  /** running, done, failed …; empty when there was none. */
  readonly Outcome: string
  readonly ExitCode: number | undefined
  readonly Error: string
}

export interface RunRow {
  readonly Stack: string
  readonly Service: string
  readonly Due: string
  readonly By: string
  readonly Outcome: string
  readonly ExitCode: number | undefined
  /** Seconds; undefined while it runs, and when it never did. */
  readonly Took: number | undefined
  readonly Error: string
  readonly Output: readonly string[]
}

export function jobRow(job: Job): JobRow {
  const [last] = job.Runs
  return {
    Stack: job.Stack,
    Service: job.Service,
    Schedule: job.Timezone === '' ? job.Cron : `${job.Cron} ${job.Timezone}`,
    Next: job.Next ?? '',
    Last: last?.Due ?? '',
    Outcome: last?.Outcome ?? '',
    ExitCode: last?.ExitCode,
    Error: last?.Error ?? '',
  }
}

/** The newest first. */
export function runRows(job: Job): readonly RunRow[] {
  return job.Runs.map(run => ({
    Stack: job.Stack,
    Service: job.Service,
    Due: run.Due,
    By: run.By,
    Outcome: run.Outcome,
    ExitCode: run.ExitCode,
    Took: took(run),
    Error: run.Error ?? '',
    Output: run.Output ?? [],
  }))
}

/** "failed (3)", "failed: no such image". */
export function outcomeText(row: Pick<JobRow, 'Outcome' | 'ExitCode' | 'Error'>): string {
  if (row.Error !== '') return `${row.Outcome}: ${row.Error}`
  return row.ExitCode === undefined || row.ExitCode === 0 ? row.Outcome : `${row.Outcome} (${row.ExitCode})`
}

function took({ StartedAt, FinishedAt }: JobRun): number | undefined {
  if (StartedAt === undefined || FinishedAt === undefined) return undefined
  return Math.max(0, Math.round((Date.parse(FinishedAt) - Date.parse(StartedAt)) / 100) / 10)
}
