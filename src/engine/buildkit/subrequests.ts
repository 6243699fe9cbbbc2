/**
 * What is asked of a Dockerfile instead of building it (`buildx build --check`, `--call=outline`, `--call=targets`): JSON for the
 * client's own printing, and text for clients that only print.
 */
import { Failure } from '../../lib/failure.ts'
import { type Source, sourceExcerpt } from '../build/build-failure.ts'
import type { Inspection } from '../build/inspect.ts'
import { type Lines, SourceFailure } from '../dockerfile/source-failure.ts'

/** Metadata of a result. */
export type Answer = ReadonlyMap<string, Uint8Array>

type Question = Inspection['question']

const names: Readonly<Record<string, Question | 'describe'>> = {
  'frontend.lint': 'check',
  'frontend.outline': 'outline',
  'frontend.targets': 'targets',
  'frontend.subrequests.describe': 'describe',
}

/**
 * @param inspect asks whoever builds.
 * @throws Failure `unsupported` for a request that is not known, and as `inspect` does.
 */
export async function answerSubrequest(
  name: string,
  inspect: (question: Question) => Promise<Inspection>,
): Promise<Answer> {
  const question = Object.hasOwn(names, name) ? names[name]! : undefined
  if (question === undefined) throw new Failure('unsupported', `unsupported request ${name}`)
  if (question === 'describe') return description()
  const found = await inspect(question)
  switch (found.question) {
    case 'check':
      return checked(found)
    case 'outline':
      return outlined(found)
    case 'targets':
      return targeted(found)
  }
}

const location = ({ first, last }: Lines) => ({
  ranges: Array.from({ length: last - first + 1 }, (_, i) => ({
    start: { line: first + i },
    end: { line: first + i },
  })),
})

const sourcesOf = ({ text }: Source): readonly string[] => [Buffer.from(text).toString('base64')]

function answer(json: object, text: string, more: Readonly<Record<string, string>> = {}): Answer {
  const all = { 'result.json': JSON.stringify(json, null, 2), 'result.txt': text, ...more, version: '1.0.0' }
  return new Map(Object.entries(all).map(([key, value]) => [key, Buffer.from(value)]))
}

function checked({ source, warnings, error }: Inspection & { readonly question: 'check' }): Answer {
  const lines = error instanceof SourceFailure ? error.lines : undefined
  const json = {
    warnings: warnings.map(({ rule, description, url, message, lines }) => ({
      ruleName: rule,
      description,
      ...(url !== '' && { url }),
      detail: message,
      location: location(lines),
    })),
    sources: [{ filename: source.name, language: 'Dockerfile', data: Buffer.from(source.text).toString('base64') }],
    ...(error && { buildError: { message: error.message, location: lines ? location(lines) : {} } }),
  }
  const shown = warnings
    .toSorted((a, b) => a.lines.first - b.lines.first)
    .map(({ rule, url, message, lines }) => {
      const title = `WARNING: ${rule}${url === '' ? '' : ` - ${url}`}`
      return `\n${title}\n${message}\n${sourceExcerpt({ source, lines })}`
    })
  const status = warnings.length > 0 || error !== undefined ? '1' : '0'
  return answer(json, shown.join(''), { 'result.statuscode': status })
}

function targeted({ source, targets }: Inspection & { readonly question: 'targets' }): Answer {
  const json = {
    targets: targets.map(({ name, isDefault, description, base, platform, lines }) => ({
      name,
      default: isDefault || undefined,
      description,
      base,
      platform,
      location: location(lines),
    })),
    sources: sourcesOf(source),
  }
  const rows = targets.map(({ name, isDefault, description = '' }) => [
    [name, isDefault ? '(default)' : ''].filter(Boolean).join(' '),
    description,
  ])
  return answer(json, columns([['TARGET', 'DESCRIPTION'], ...rows], 1))
}

function outlined({ source, outline }: Inspection & { readonly question: 'outline' }): Answer {
  const { name, description, args, secrets, ssh } = outline
  const mounts = (all: typeof secrets) =>
    all.length === 0
      ? undefined
      : all.map(({ name, required, lines }) => ({ name, required: required || undefined, location: location(lines) }))
  const json = {
    name,
    description,
    args:
      args.length === 0
        ? undefined
        : args.map(({ name, value, description, lines }) => ({
            name,
            description,
            value: value || undefined,
            location: location(lines),
          })),
    secrets: mounts(secrets),
    ssh: mounts(ssh),
    sources: sourcesOf(source),
  }
  const required = (all: typeof secrets) => all.map(({ name, required }) => [name, required ? 'true' : ''])
  const target = [
    ['TARGET:', name ?? '(default)'],
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ]
  const tables = [
    ...(name === undefined && description === undefined ? [] : [columns(target, 1)]),
    ...table(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map(({ name, value = '', description = '' }) => [name, value, description]),
    ),
    ...table(['SECRET', 'REQUIRED'], required(secrets)),
    ...table(['SSH', 'REQUIRED'], required(ssh)),
  ]
  return answer(json, tables.map(text => `${text}\n`).join(''))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : [columns([head, ...rows], 3)]
}

/** Each as wide as its widest cell and `gap` more; the last one is not filled up. */
function columns(rows: readonly (readonly string[])[], gap: number): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => [...row[i]!].length)) + gap)
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - [...cell].length))).join('')
  return rows.map(row => `${line(row)}\n`).join('')
}

function description(): Answer {
  const known = [
    ['frontend.lint', 'Lint a Dockerfile'],
    ['frontend.outline', 'List all parameters current build target supports'],
    ['frontend.targets', 'List all targets current build supports'],
    ['frontend.subrequests.describe', 'List available subrequest types'],
  ]
  const json = known.map(([name, description]) => ({ name, version: '1.0.0', type: 'rpc', description }))
  const rows = known.map(([name, description]) => [name!.replace('frontend.', ''), '1.0.0', description!])
  return answer(json, columns([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1))
}
