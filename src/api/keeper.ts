/**
 * What the keeper is asked, by HTTP on a socket of its own: the contract between it and the commands. The keeper is the resident
 * process that sees to it that stacks stay what they were last asked to be.
 */
import { empty, endpoint, json, lines, table } from './endpoint.ts'

/** Of this contract; a keeper of another one is asked to make room. */
export const keeperVersion = '1.2'

/** How a stack is read again when its files change. */
export interface ReadAgain {
  /** Options before the command, as on a command line. */
  readonly arguments: readonly string[]
  /** Where it was run, absolute. */
  readonly directory: string
  /** Of the environment there, what the files ask for. */
  readonly environment: Readonly<Record<string, string>>
  /** All that were read for it, or looked for in vain, absolute. */
  readonly files: readonly string[]
}

/** What reading it again gave: the model, frozen, or why there is none. */
export type StackRead =
  | { readonly files: readonly string[]; readonly project: unknown; readonly error?: undefined }
  | { readonly files: readonly string[]; readonly error: string }

/** What is to be held of a stack. */
export interface HoldRequest {
  /** As model/frozen.ts makes it: plain JSON, checked by whoever thaws it. */
  readonly project: unknown
  /** Services that are to run; absent: all. */
  readonly services?: readonly string[] | undefined
  /** Service → replicas, instead of what the project says. */
  readonly scale?: Readonly<Record<string, number>> | undefined
  /** Why it is held, in words for people. */
  readonly reasons: readonly string[]
  /** It is watched: its files are followed. */
  readonly watch?: ReadAgain | undefined
}

/** settled: as it should be. acting: being repaired. waiting: a command of a person is at work on it. failing: it is tried again later. */
export type HoldState = 'settled' | 'acting' | 'waiting' | 'failing'

export interface HeldStack {
  readonly Name: string
  readonly Directory: string
  readonly Files: readonly string[]
  readonly Reasons: readonly string[]
  /** Files that are followed, where it is watched. */
  readonly Watched?: readonly string[]
  readonly State: HoldState
  /** What failed last, when it is failing. */
  readonly Error?: string
  /** When it was last asked for: RFC 3339. */
  readonly Since: string
  /** Container → what a reader of `ps` should know: "restarted 2 times: unhealthy". */
  readonly Notes: Readonly<Record<string, string>>
}

export interface KeeperStatus {
  readonly Pid: number
  readonly Version: string
  /** Of the engine that it is a client of. */
  readonly Host: string
  readonly Stacks: number
  /** Resident bytes. */
  readonly Memory: number
}

/** What happens to a stack, as it happens. */
export type HoldEvent =
  /** Sent first, so that the headers go out: what comes after is heard. */
  | { readonly kind: 'listening'; readonly time: string }
  /** What is about to be done, as `plan` prints it. */
  | { readonly kind: 'plan'; readonly time: string; readonly text: string }
  | { readonly kind: 'done'; readonly time: string; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly time: string; readonly message: string; readonly again: string | undefined }
  | { readonly kind: 'note'; readonly time: string; readonly text: string }

/** How a run of a job ended, or that it did not take place. */
export type JobOutcome =
  | 'running'
  | 'done'
  /** It ended with another code than 0, or could not be started. */
  | 'failed'
  /** The run before was still going on. */
  | 'skipped'
  /** The next run took its place. */
  | 'replaced'
  /** Nobody was there when it was due. */
  | 'missed'
  /** Nobody knows how it ended. */
  | 'lost'

export interface JobRun {
  readonly Id: string
  /** When it was due, RFC 3339; that of a run asked for by a person, when it was asked for. */
  readonly Due: string
  readonly By: 'schedule' | 'person' | 'missed'
  readonly Outcome: JobOutcome
  readonly StartedAt?: string
  readonly FinishedAt?: string
  readonly ExitCode?: number
  readonly Error?: string
  /** The last lines it has printed. */
  readonly Output?: readonly string[]
}

export interface Job {
  readonly Stack: string
  readonly Service: string
  readonly Cron: string
  /** Empty: the machine's. */
  readonly Timezone: string
  readonly Concurrency: string
  readonly Missed: string
  /** RFC 3339; absent when it never comes again. */
  readonly Next?: string
  /** The newest first. */
  readonly Runs: readonly JobRun[]
}

/** A person's command has the stack for itself from this line on, until it closes the connection. */
export interface Turn {
  readonly held: boolean
}

export const keeperEndpoints = table({
  keeperStatus: endpoint('GET', '/keeper', { reply: json<KeeperStatus>() }),
  /** Ends it, stacks or none; their records stay, and whoever starts it again goes on with them. */
  keeperStop: endpoint('DELETE', '/keeper', {}),
  stackList: endpoint('GET', '/stacks', { reply: json<readonly HeldStack[]>() }),
  stackInspect: endpoint('GET', '/stacks/{name}', { reply: json<HeldStack>() }),
  stackHold: endpoint('PUT', '/stacks/{name}', { body: json<HoldRequest>(), reply: empty }),
  stackRelease: endpoint('DELETE', '/stacks/{name}', {}),
  /** Its files are no longer followed; it stays held where it needs that. */
  stackUnwatch: endpoint('DELETE', '/stacks/{name}/watch', {}),
  stackEvents: endpoint('GET', '/stacks/{name}/events', { reply: lines<HoldEvent>() }),
  jobList: endpoint('GET', '/jobs', { reply: json<readonly Job[]>() }),
  /** Runs it now, beside its schedule. */
  jobRun: endpoint('POST', '/stacks/{name}/jobs', { query: { service: 'string' }, reply: json<JobRun>() }),
  /**
   * Nothing is done to the stack as long as the connection is open. What a person stops, pauses or removes meanwhile stays so;
   * `making`: not so what an `up` does, which says by stackHold what is wanted; `watching`: nor what a watch removes to make it anew.
   */
  stackTurn: endpoint('POST', '/stacks/{name}/turn', {
    query: { making: 'boolean', watching: 'boolean' },
    reply: lines<Turn>(),
  }),
})
