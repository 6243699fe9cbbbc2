/** Members of the bodies that targets are told of: what is not said stays away. */

/** Without what is undefined. */
export function given<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}

export function filled<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}

export function filledMap<T extends object>(map: T): T | undefined {
  return Object.keys(map).length === 0 ? undefined : map
}
