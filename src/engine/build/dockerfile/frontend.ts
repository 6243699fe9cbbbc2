/** Which frontend a Dockerfile asks for: the one here stands for docker/dockerfile of any version, its labs too. */
import { Failure, isFailure } from '../../../lib/failure.ts'
import { findSyntax } from '../../dockerfile/directives.ts'
import { atLines } from '../../dockerfile/source-failure.ts'
import { parseReference } from '../../images/reference.ts'

const own = /^docker\/dockerfile(?:-upstream)?$/

/**
 * @param asked the build argument BUILDKIT_SYNTAX, which counts more than what the file says.
 * @throws Failure `unsupported` for any other.
 */
export function checkFrontend(text: string, asked: string | undefined): void {
  const directive = findSyntax(text)
  if (asked !== undefined) checkName(asked.trim())
  else if (directive) atLines(directive.lines, () => checkName(directive.value))
}

function checkName(value: string): void {
  const name = value.split(' ')[0]!
  if (isOwn(name)) return
  throw new Failure('unsupported', `Cannot build with the frontend "${name}": only docker/dockerfile is there`, {
    hint: 'Remove the line "# syntax=", or name docker/dockerfile:1',
  })
}

/** A mirror of it is as good, whatever its registry. */
function isOwn(name: string): boolean {
  try {
    return own.test(parseReference(name).path)
  } catch (error) {
    if (isFailure(error, 'invalid')) return false
    throw error
  }
}
