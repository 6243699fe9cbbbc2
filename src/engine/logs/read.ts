/** Reads a container's log: the last lines, since and until, and on as it grows. */
import type { OutputChunk } from '../../api/frames.ts'
import { linesOf, newline, type Start, startOfLast } from './lines.ts'
import { LogFollower } from './log-follower.ts'
import { closeAll, type OpenFile, openLogFiles } from './open-files.ts'
import { cutRecord, details, type LogRecord, nanoseconds, parseRecord, timestamp } from './records.ts'

export interface ReadOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  /** The last so many records; undefined for all. */
  readonly tail?: number | undefined
  /** Nanoseconds since the epoch. */
  readonly since?: bigint | undefined
  readonly until?: bigint | undefined
  readonly timestamps?: boolean | undefined
  /** Before each line, its attributes. */
  readonly details?: boolean | undefined
  /** Resolves when nothing more will be written; undefined: do not follow. */
  readonly follow?: Promise<unknown> | undefined
  /** Told of what follows, and returns what is to be called when it is done. */
  readonly onFollow?: ((follower: LogFollower) => () => void) | undefined
  readonly signal: AbortSignal
}

/** Output as it was written, a chunk for each record: clients take a frame for a line. */
export async function* readLog(path: string, options: ReadOptions): AsyncGenerator<OutputChunk> {
  for await (const batch of await readBatches(path, options)) yield* batch
}

type Batches = AsyncGenerator<readonly OutputChunk[]>

/**
 * The same, as much at a time as was read from the file. Its files are open when this resolves: who is answered now reads all of it
 * also when the container is removed before the first of it is sent.
 */
export async function readBatches(path: string, options: ReadOptions): Promise<Batches> {
  const { signal } = options
  const batches = fromFiles(path, await openLogFiles(path), options)
  // entered, since one that never began would not close its files when it is left
  await batches.next()
  const leave = () => void batches.return(undefined)
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  return batches
}

/** Nothing comes first, before anything is read. */
async function* fromFiles(path: string, files: OpenFile[], options: ReadOptions): Batches {
  try {
    yield []
    const from = options.tail === undefined ? undefined : await tailStart(files, options.tail)
    const first = from === undefined ? 0 : files.indexOf(from.file)
    const start = (i: number) => (i === first ? (from?.start ?? 0) : 0)
    // the newest is read on as it grows; what is compressed does not grow
    const grows = options.follow && files.at(-1)?.compressed === false ? files.length - 1 : files.length
    for (const [i, file] of files.entries()) {
      if (i < first || i >= grows) continue
      yield* batches(linesOf(file, start(i)), options)
      if (options.signal.aborted) return
    }
    if (!options.follow) return
    const [file] = files.splice(grows)
    // nobody knows for how long
    await closeAll(files.splice(0))
    yield* follow(path, { file, offset: start(grows) }, { ...options, ended: options.follow })
  } finally {
    await closeAll(files)
  }
}

interface FollowOptions extends ReadOptions {
  readonly ended: Promise<unknown>
}

/** From a place on, over rotations, until `ended` and all is read. */
async function* follow(
  path: string,
  { file, offset }: { readonly file: OpenFile | undefined; readonly offset: number },
  options: FollowOptions,
): Batches {
  const waking = new AbortController()
  const wake = AbortSignal.any([waking.signal, options.signal])
  let over = false
  const end = () => {
    over = true
    waking.abort()
  }
  options.ended.then(end, end)
  const follower = new LogFollower(path, { from: file && { file, offset }, onLost: () => undefined })
  const done = options.onFollow?.(follower)
  try {
    for (;;) {
      // asked before reading: what is there when all has been written is all there is
      const last = over
      const records = await follower.next()
      if (options.signal.aborted) return
      if (records) {
        yield chunks(
          records.map(({ record }) => record),
          options,
        )
        continue
      }
      if (last || isPast(options.until)) return
      await follower.more(wake)
    }
  } finally {
    done?.()
    await follower.close()
  }
}

function isPast(until: bigint | undefined): boolean {
  return until !== undefined && BigInt(Date.now()) * 1_000_000n > until
}

async function* batches(lines: ReturnType<typeof linesOf>, options: ReadOptions): Batches {
  for (;;) {
    const batch = await lines.next()
    if (!batch) return
    yield cut(batch, options)
    if (options.signal.aborted) return
  }
}

/** Of lines as they stand in a file: most are wanted just as they were printed, millions of them, and then never become text. */
function cut(lines: Buffer, options: ReadOptions): readonly OutputChunk[] {
  const { since, until, timestamps, details } = options
  const bare = since === undefined && until === undefined && !timestamps && !details
  const wished: OutputChunk[] = []
  for (let at = 0; at < lines.length; ) {
    const found = lines.indexOf(newline, at)
    const end = found < 0 ? lines.length : found
    const printed = bare ? cutRecord(lines, at, end) : undefined
    if (!printed) wished.push(...chunks([parseRecord(lines.toString('utf8', at, end))], options))
    else if (options[printed.stream]) wished.push(printed)
    at = end + 1
  }
  return wished
}

function chunks(records: readonly (LogRecord | undefined)[], options: ReadOptions): readonly OutputChunk[] {
  const wished: OutputChunk[] = []
  for (const record of records) if (record && wanted(record, options)) wished.push(chunk(record, options))
  return wished
}

function chunk(record: LogRecord, options: ReadOptions): OutputChunk {
  const text = options.details ? `${details(record)} ${record.text}` : record.text
  const whole = options.timestamps ? `${timestamp(record.time)} ${text}` : text
  return { stream: record.stream, data: Buffer.from(whole) }
}

function wanted(record: LogRecord, { stdout, stderr, since, until }: ReadOptions): boolean {
  if (record.stream === 'stdout' ? !stdout : !stderr) return false
  if (since === undefined && until === undefined) return true
  const time = nanoseconds(record.time)
  return (since === undefined || time >= since) && (until === undefined || time <= until)
}

/** Where the last `count` records begin; undefined when there are not that many. */
async function tailStart(
  files: readonly OpenFile[],
  count: number,
): Promise<{ readonly file: OpenFile; readonly start: Start } | undefined> {
  let missing = count
  for (const file of files.toReversed()) {
    const found = await startOfLast(file, missing)
    if ('start' in found) return { file, start: found.start }
    missing -= found.lines
  }
  return undefined
}
