/** `build --check`: what the builder thinks of the Dockerfiles, by service. */

import type { Client } from '../client/client.ts'
import { plural, printable } from '../lib/text.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import { type LintWarning, lint } from '../targets/engine/perform/build.ts'
import type { Call } from './command.ts'
import { dockerfileLines } from './dockerfile-lines.ts'

/** The exit code: 1 when there is anything to say. */
export async function checkBuilds(call: Call, client: Client, plan: EnginePlan): Promise<number> {
  const { screen, signal, env } = call
  let found = 0
  for (const { operation } of plan.nodes) {
    if (operation.kind !== 'build-image') continue
    const warnings = await lint(operation, {
      client,
      signal,
      env,
      onBuild: () => {},
      onWarning: text => screen.warn(printable(text)),
    })
    found += warnings.length
    screen.print(printable(operation.services.join(', ')))
    for (const warning of warnings) screen.printAll(linesOf(warning, screen.paint))
    const said = warnings.length === 0 ? 'no warnings' : plural(warnings.length, 'warning')
    screen.print(`Check complete, ${said} found.`)
  }
  return found === 0 ? 0 : 1
}

function linesOf({ rule, text, url, source }: LintWarning, paint: Call['screen']['paint']): readonly string[] {
  const mark = rule === undefined ? paint(['red', 'bold'], 'ERROR') : paint(['yellow', 'bold'], 'WARNING')
  return [
    `${mark} ${rule === undefined ? printable(text) : rule}${url === '' ? '' : ` - ${printable(url)}`}`,
    ...(rule === undefined ? [] : [printable(text)]),
    ...(source ? dockerfileLines(source, paint) : []),
  ]
}
