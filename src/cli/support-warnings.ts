/** What the chosen target does not honour of a stack: told by whoever chose it, not by the reader. */
import { endpoints } from '../api/endpoints.ts'
import { chooseHost } from '../client/host.ts'
import type { Problem } from '../lib/problems.ts'
import type { LoadedStack } from '../stack/load.ts'
import type { EngineKind } from '../targets/engine/support.ts'
import type { Call } from './command.ts'
import { targetNameOf } from './target-name.ts'

/** Of what the reader warns of, what is so on the chosen target. */
export async function warningsThere(call: Call, warnings: readonly Problem[]): Promise<readonly Problem[]> {
  const target = targetNameOf(call)
  if (target === 'engine' || warnings.length === 0) return warnings
  const { untrue = [] } = await (await import('./targets.ts')).supportOf(target)
  return warnings.filter(({ code }) => !untrue.includes(code))
}

/** With `ask`, an engine that may not be ours is asked who it is, when that matters; without, only our own is known. */
export async function supportWarnings(
  call: Call,
  loaded: LoadedStack,
  { ask }: { readonly ask: boolean },
): Promise<readonly Problem[]> {
  const target = targetNameOf(call)
  if (target !== 'engine') {
    const [{ supportOf }, { usesOf }] = await Promise.all([import('./targets.ts'), import('../stack/attributes.ts')])
    const { doubtful, warnings } = await supportOf(target)
    return warnings(usesOf(loaded.tree, doubtful))
  }
  const [{ usesOf }, { dependsOnEngine, doubtful, engineKinds, unsupported }] = await Promise.all([
    import('../stack/attributes.ts'),
    import('../targets/engine/support.ts'),
  ])
  const uses = usesOf(loaded.tree, engineKinds.flatMap(doubtful))
  if (uses.length === 0) return []
  const ours = chooseHost(call.globals.host, call.env).source === 'default'
  if (ours || !dependsOnEngine(uses)) return unsupported(uses, 'tscompose')
  return ask ? unsupported(uses, await engineOf(call)) : []
}

async function engineOf(call: Call): Promise<EngineKind> {
  const client = await call.connect()
  const { Platform } = await client.call(endpoints.version, {}, { signal: call.signal })
  return Platform?.Name === 'tscompose' ? 'tscompose' : 'docker'
}
