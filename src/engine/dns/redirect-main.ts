/** Sets the rules of `redirect` in the network namespace it runs in: `redirect-start.cjs UDP TCP`. */
import { runNft } from '../../runtime/native.ts'
import { redirectRules } from './redirect.ts'

export function start(): void {
  const [udp, tcp] = process.argv.slice(2).map(Number)
  if (!Number.isInteger(udp) || !Number.isInteger(tcp)) throw new TypeError('two ports are needed')
  runNft(redirectRules({ udp: udp!, tcp: tcp! }))
}
