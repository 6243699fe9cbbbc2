/**
 * Asks a server again and again, at a fixed rate whatever it answers, until standard input ends. Prints JSON lines: a string for each answer
 * that it has not had before, at the end what came of it all (Load).
 * `node load-client.ts URL RATE short|kept`: a connection each, or as few as will do, kept open.
 */
import { Agent, get } from 'node:http'

export interface Load {
  readonly sent: number
  readonly answered: number
  /** Error code or status → how often. */
  readonly errors: Readonly<Record<string, number>>
  /** Body → how often. */
  readonly answers: Readonly<Record<string, number>>
  /** Milliseconds. */
  readonly median: number
  readonly p99: number
  readonly longest: number
}

const [url = '', rate = '300', mode = 'short'] = process.argv.slice(2)
// none is left idle for as long as a server that ends lets it be (a second at most): its end would cross the next request
const agent = new Agent({ keepAlive: mode === 'kept', scheduling: 'fifo', timeout: 1000 })
const errors: Record<string, number> = {}
const answers: Record<string, number> = {}
const times: number[] = []
let [sent, open] = [0, 0]
let over = false

function count(table: Record<string, number>, key: string): void {
  table[key] = (table[key] ?? 0) + 1
}

function settle(): void {
  open--
  if (over && open === 0) print()
}

function ask(): void {
  sent++
  open++
  const begin = performance.now()
  get(url, { agent, timeout: 30_000 }, response => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', chunk => (body += chunk))
    response.on('error', error => fail(error))
    response.on('end', () => {
      if (!response.complete) return
      times.push(performance.now() - begin)
      if (response.statusCode === 200) {
        if (!Object.hasOwn(answers, body)) process.stdout.write(`${JSON.stringify(body)}\n`)
        count(answers, body)
      } else count(errors, String(response.statusCode))
      settle()
    })
  }).on('error', error => fail(error))
}

function fail(error: NodeJS.ErrnoException): void {
  count(errors, error.code ?? error.message)
  settle()
}

function print(): void {
  times.sort((a, b) => a - b)
  const at = (part: number) => Math.round((times[Math.floor((times.length - 1) * part)] ?? 0) * 10) / 10
  const load: Load = { sent, answered: times.length, errors, answers, median: at(0.5), p99: at(0.99), longest: at(1) }
  process.stdout.write(`${JSON.stringify(load)}\n`, () => process.exit(0))
}

const began = performance.now()
const timer = setInterval(() => {
  const due = ((performance.now() - began) / 1000) * Number(rate)
  while (sent < due) ask()
}, 5)
process.stdin.resume().on('end', () => {
  over = true
  clearInterval(timer)
  if (open === 0) print()
})
