/** The objects of a stack as YAML, for those who want to hand them to other tools. */
import { stringify } from 'yaml'
import { Problems } from '../../lib/problems.ts'
import type { Project } from '../../model/project.ts'
import type { Wish } from '../target.ts'
import { compile } from './compile.ts'
import type { Home } from './labels.ts'

/** Content of secrets included. @throws ProblemsFailure with what cannot be had in a cluster */
export function exported(project: Project, home: Home, wish: Wish): string {
  const { wanted, refusals } = compile(project, home, wish)
  const problems = new Problems()
  for (const { path, refusal } of refusals)
    problems.add({ severity: 'error', place: project.place(path), path, ...refusal })
  problems.settle()
  return wanted.map(({ manifest }) => stringify(plain(manifest), { lineWidth: 0 })).join('---\n')
}

/** Without what is undefined, and with nothing that stands twice as a reference. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value))
}
