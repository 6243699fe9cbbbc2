/** What a continuous integration shows beside its log: GitHub's workflow commands, GitLab's collapsible sections. */
import { relative, resolve } from 'node:path'
import { Failure, messageOf } from '../lib/failure.ts'
import { type Place, PlacedFailure, type Problem } from '../lib/problems.ts'
import { indent, printable } from '../lib/text.ts'
import type { GlobalValues } from './options.ts'
import type { Screen } from './screen.ts'

export interface Note {
  readonly severity: 'error' | 'warning'
  /** In a word or two what it is about. */
  readonly title?: string | undefined
  readonly place?: Place | undefined
  readonly message: string
}

export interface Annotations {
  readonly style: 'github' | 'gitlab' | 'none'
  note(note: Note): void
  /** Lines under a title, folded where that can be; nothing in them is a command. */
  block(title: string, lines: readonly string[]): void
}

/** Where annotations go, and what files are relative to. */
export interface AnnotationContext {
  readonly screen: Screen
  readonly globals: Pick<GlobalValues, 'annotations' | 'ansi'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export function annotationsOf({ screen, globals, env, cwd }: AnnotationContext): Annotations {
  switch (globals.annotations) {
    case 'github':
      return gitHub(screen, { root: env['GITHUB_WORKSPACE'] || cwd, cwd })
    case 'gitlab':
      return gitLab(screen)
    default:
      return { style: 'none', note: () => {}, block: (title, lines) => sayBlock(screen, title, lines) }
  }
}

/** The notes of whatever ended a command: one for each problem of a stack, with its place. */
export function notesOf(error: unknown): readonly Note[] {
  if (error instanceof PlacedFailure && error.problems.length > 0) return problemNotes(error.problems)
  if (error instanceof AggregateError) return error.errors.flatMap(notesOf)
  const hint = error instanceof Failure && error.hint !== undefined ? `\n${error.hint}` : ''
  return [{ severity: 'error', message: `${messageOf(error)}${hint}` }]
}

export function problemNotes(problems: readonly Problem[]): readonly Note[] {
  return problems.map(({ severity, place, path, message, hint }) => ({
    severity,
    place,
    title: path.length > 0 ? path.join('.') : undefined,
    message: hint === undefined ? message : `${message}\n${hint}`,
  }))
}

function sayBlock(screen: Screen, title: string, lines: readonly string[]): void {
  screen.say(screen.paintStatus('bold', printable(title)))
  for (const line of lines) screen.say(indent(printable(line)))
}

/** https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
function gitHub(screen: Screen, { root, cwd }: { readonly root: string; readonly cwd: string }): Annotations {
  return {
    style: 'github',
    note({ severity, title, place, message }) {
      const at = place && {
        file: relative(root, resolve(cwd, place.file)),
        line: String(place.line),
        col: String(place.column),
      }
      const properties = Object.entries({ ...at, ...(title === undefined ? {} : { title }) })
        .map(([name, value]) => `${name}=${escapeProperty(printable(value))}`)
        .join(',')
      screen.say(`::${severity}${properties === '' ? '' : ` ${properties}`}::${escapeData(printable(message))}`)
    },
    block(title, lines) {
      // a container's output is not to give commands: they are read again only at a word that it cannot know
      const word = crypto.randomUUID()
      screen.say(`::group::${escapeData(printable(title))}`)
      screen.say(`::stop-commands::${word}`)
      for (const line of lines) screen.say(indent(printable(line)))
      screen.say(`::${word}::`)
      screen.say('::endgroup::')
    },
  }
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/** https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections; errors are what is printed anyway, in colour, which its log shows. */
function gitLab(screen: Screen): Annotations {
  let count = 0
  return {
    style: 'gitlab',
    note: () => {},
    block(title, lines) {
      const name = `tscompose_${process.pid}_${++count}`
      const mark = (what: string, options = '') =>
        `\x1b[0Ksection_${what}:${Math.floor(Date.now() / 1000)}:${name}${options}\r\x1b[0K`
      screen.say(`${mark('start', '[collapsed=true]')}${printable(title)}`)
      for (const line of lines) screen.say(indent(printable(line)))
      screen.say(mark('end'))
    },
  }
}
