/**
 * What is said of stacks that are wrong or doubtful: `services.txt` of each that `services.ts` has, `whole.txt` of what else stands in a file.
 * Rewritten by `npm run golden`.
 */
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isFailure } from '../../../src/lib/failure.ts'
import { type Problem, ProblemsFailure } from '../../../src/lib/problems.ts'
import { printable } from '../../../src/lib/text.ts'
import { loadFiles } from '../../stack/stacks.ts'
import { services } from './services.ts'
import { whole } from './whole.ts'

/** Each problem as "error code place path", its message and its hint. */
async function told(stack: string): Promise<string> {
  const found = await problemsOf(stack)
  if (found.length === 0) return '  accepted\n'
  return found
    .map(({ severity, code, place, path, message, hint, blocks }) => {
      const where = place ? `${place.line}:${place.column}` : 'nowhere'
      const more = [message, ...(hint ? [`→ ${hint}`] : []), ...(blocks ? [`blocks ${blocks.join(', ')}`] : [])]
      return `  ${severity} ${code} ${where} ${path.join('.')}\n${more.map(each => `    ${each}\n`).join('')}`
    })
    .join('')
}

async function problemsOf(stack: string): Promise<readonly Problem[]> {
  try {
    const files = { 'compose.yaml': stack, 'web.env': 'A=1\n', 'folder/file': '' }
    return (await loadFiles(files, { files: ['compose.yaml'] })).warnings
  } catch (error) {
    if (error instanceof ProblemsFailure) return error.problems
    // of the stack as a whole, without a place
    if (!isFailure(error)) throw error
    const { kind, message, hint } = error
    return [{ severity: 'error', code: kind, place: undefined, path: [], message, ...(hint && { hint }) }]
  }
}

const rest = `
services:
  db: {image: db, container_name: db-1, ports: ["9090:90", "127.0.0.1:9091:91", "9092:92"]}
  off: {image: off, profiles: [debug]}
networks: {back: }
volumes: {data: }
secrets: {token: {environment: TOKEN}}
configs: {conf: {content: a}}
`

async function hold(t: TestContext, stacks: readonly (readonly [shown: string, stack: string])[], name: string) {
  const texts = []
  for (const [shown, stack] of stacks) texts.push(`${printable(shown)}\n${await told(stack)}`)
  t.assert.fileSnapshot(texts.join('\n'), join(import.meta.dirname, `${name}.txt`), { serializers: [value => value] })
}

test('what is wrong with one service is told at its place', t =>
  hold(
    t,
    services.map(text => {
      const members = text.startsWith('{') ? text.slice(1, -1) : text
      const image = /(^|[ {])(image|build|provider):/.test(text) ? '' : 'image: web, '
      return [text, rest.replace('services:\n', `services:\n  web: {${image}${members}}\n`)]
    }),
    'services',
  ))

test('what is wrong with the rest of a stack is told at its place', t =>
  hold(
    t,
    whole.map(text => [text, text]),
    'whole',
  ))
