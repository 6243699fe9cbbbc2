/** `--chmod`: an octal number or words as chmod(1) takes them, with no umask where they name nobody. Pure. */
import { Failure } from '../../../lib/failure.ts'

export interface Chmod {
  /** The twelve bits of a file or folder that has `mode` now. */
  apply(mode: number, isFolder: boolean): number
  /** Set when it was a number, which holds for new parents as well. */
  readonly number: number | undefined
}

const shifts = { u: 6, g: 3, o: 0 } as const
const setIds = { u: 0o4000, g: 0o2000, o: 0 } as const
const bits = { r: 4, w: 2, x: 1 } as const
type Who = keyof typeof shifts

/** @throws Failure `invalid` with BuildKit's text. */
export function parseChmod(text: string): Chmod {
  if (/^[0-7]+$/.test(text)) {
    const number = Number.parseInt(text, 8)
    if (number > 0o7777) throw bad(text)
    return { apply: () => number, number }
  }
  const clauses = text.split(',').map(clause => parseClause(clause, text))
  return {
    apply: (mode, isFolder) => clauses.reduce((now, clause) => clause(now, isFolder), mode & 0o7777),
    number: undefined,
  }
}

type Clause = (mode: number, isFolder: boolean) => number

function parseClause(clause: string, whole: string): Clause {
  const parts = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause)
  if (parts === null) throw bad(whole)
  const named = parts[1]!
  const who = (named === '' || named.includes('a') ? [...'ugo'] : [...new Set(named)]) as Who[]
  const actions = [...parts[2]!.matchAll(/([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g)]
  return (mode, isFolder) =>
    actions.reduce((now, [, operator, permissions]) => {
      const change = changeOf(permissions!, { who, mode: now, isFolder })
      if (operator === '+') return now | change
      if (operator === '-') return now & ~change
      return (now & ~cleared(who, isFolder)) | change
    }, mode)
}

interface Context {
  readonly who: readonly Who[]
  readonly isFolder: boolean
}

/** What "=" takes away first. A folder keeps its set-id bits unless they are named. */
function cleared(who: readonly Who[], isFolder: boolean): number {
  let all = 0
  for (const each of who) all |= (7 << shifts[each]) | (isFolder ? 0 : setIds[each])
  return all
}

function changeOf(permissions: string, { who, mode, isFolder }: Context & { readonly mode: number }): number {
  let change = 0
  if (/^[ugo]$/.test(permissions)) {
    const copied = (mode >> shifts[permissions as Who]) & 7
    for (const each of who) change |= copied << shifts[each]
    return change
  }
  for (const letter of permissions) {
    if (letter === 't') change |= 0o1000
    else if (letter === 's') for (const each of who) change |= setIds[each]
    else if (letter !== 'X' || isFolder || (mode & 0o111) !== 0)
      for (const each of who) change |= bits[letter === 'X' ? 'x' : (letter as keyof typeof bits)] << shifts[each]
  }
  return change
}

function bad(text: string): Failure {
  return new Failure(
    'invalid',
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777, or words like u=rwX,go=rX`,
  )
}
