/** What is asked for instead of a build: what is to be said of a Dockerfile, and what can be asked. (BuildKit's frontend/subrequests) */
import { Failure, messageOf } from '../../lib/failure.ts'
import { BuildFailure, type Source, sourceExcerpt } from '../build/build-failure.ts'
import { Checks } from '../build/dockerfile/checks.ts'
import type { BuildWarning } from '../build/dockerfile/plan.ts'
import { readStages } from '../build/dockerfile/read-stages.ts'
import type { Lines } from '../dockerfile/source-failure.ts'

export interface Understood {
  readonly source: Source
  readonly warnings: readonly BuildWarning[]
}

const described = [
  {
    name: 'frontend.lint',
    description: 'Lint a Dockerfile',
    metadata: ['result.json', 'result.txt', 'result.statuscode'],
  },
  {
    name: 'frontend.targets',
    description: 'List all targets current build supports',
    metadata: ['result.json', 'result.txt'],
  },
  {
    name: 'frontend.subrequests.describe',
    description: 'List available subrequest types',
    metadata: ['result.json', 'result.txt'],
  },
]

const version = '1.0.0'

export interface Subrequest {
  readonly name: string
  readText(): Promise<Source>
  understand(): Promise<Understood>
}

/**
 * The metadata that answers it.
 * @throws Failure `unsupported` for a request that is not known.
 */
export async function answerSubrequest({
  name,
  readText,
  understand,
}: Subrequest): Promise<ReadonlyMap<string, Uint8Array>> {
  switch (name) {
    case 'frontend.lint':
      return metadata(await lint(understand))
    case 'frontend.targets':
      return metadata(targets(await readText()))
    case 'frontend.subrequests.describe':
      return metadata(describe())
    default:
      throw new Failure('unsupported', `unsupported request ${name}`)
  }
}

interface Answer {
  readonly json: object
  readonly text: string
  readonly status?: number
}

function metadata({ json, text, status }: Answer): ReadonlyMap<string, Uint8Array> {
  return new Map([
    ['result.json', Buffer.from(JSON.stringify(json, undefined, 2))],
    ['result.txt', Buffer.from(text)],
    ['version', Buffer.from(version)],
    ...(status === undefined ? [] : ([['result.statuscode', Buffer.from(String(status))]] as const)),
  ])
}

/** Warnings, and the error where a Dockerfile is wrong: that is no failure of the check. */
async function lint(understand: () => Promise<Understood>): Promise<Answer> {
  try {
    const { source, warnings } = await understand()
    return lintAnswer(source, warnings)
  } catch (error) {
    if (error instanceof BuildFailure) return lintAnswer(error.source, [], error)
    throw error
  }
}

function lintAnswer(source: Source, warnings: readonly BuildWarning[], failure?: BuildFailure): Answer {
  const sorted = warnings.toSorted((a, b) => a.lines.first - b.lines.first)
  const text = sorted.map(
    ({ rule, url, message, lines }) =>
      `\nWARNING: ${rule}${url && ` - ${url}`}\n${message}\n${sourceExcerpt({ source, lines })}`,
  )
  return {
    json: {
      warnings: sorted.map(({ rule, description, url, message, lines }) => ({
        ruleName: rule,
        description,
        ...(url && { url }),
        detail: message,
        location: locationOf(lines),
      })),
      sources: [{ filename: source.name, language: 'Dockerfile', data: Buffer.from(source.text).toString('base64') }],
      ...(failure && { buildError: { message: messageOf(failure), location: locationOf(failure.lines) } }),
    },
    text: text.join(''),
    status: warnings.length > 0 || failure ? 1 : 0,
  }
}

function locationOf({ first, last }: Lines): object {
  return { ranges: [{ start: { line: first }, end: { line: last } }] }
}

function targets({ text }: Source): Answer {
  const { stages } = readStages(text, new Checks('skip=all'))
  const found = stages.map(({ from }, i) => ({
    ...(from.stage !== undefined && { name: from.stage }),
    ...(i === stages.length - 1 && { default: true }),
    base: from.base,
    ...(from.platform !== undefined && { platform: from.platform }),
    location: locationOf(from.lines),
  }))
  return {
    json: { targets: found, sources: [Buffer.from(text).toString('base64')] },
    text: table([
      ['TARGET', 'DESCRIPTION'],
      ...found.map(({ name = '', default: last }) => [last ? `${name} (default)`.trim() : name, ''] as const),
    ]),
  }
}

function describe(): Answer {
  const rows = described.map(({ name, description }) => [name.slice('frontend.'.length), version, description] as const)
  return {
    json: described.map(({ name, description, metadata: keys }) => ({
      name,
      version,
      type: 'rpc',
      description,
      opts: [],
      inputs: null,
      metadata: keys.map(key => ({ name: key, description: '' })),
      refs: null,
    })),
    text: table([['NAME', 'VERSION', 'DESCRIPTION'], ...rows]),
  }
}

/** Columns but the last are padded by one space. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column]! + 1) : cell)).join('')
  return rows.map(row => `${line(row)}\n`).join('')
}
