export type Kind = 'garden' | 'kitchen' | 'workshop';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  readonly wood: 'hazel' | 'ash' | 'chestnut' | 'willow';
  /** In cents, so that sums are exact. */
  readonly price: number;
  readonly note: string;
}

export const catalogue: readonly Product[] = [
  { id: 'hurdle', name: 'Wattle hurdle', kind: 'garden', wood: 'hazel', price: 8900, note: 'Woven panel, 180 × 120 cm.' },
  { id: 'bean-poles', name: 'Bean poles', kind: 'garden', wood: 'hazel', price: 1450, note: 'Bundle of ten, 2.4 m.' },
  { id: 'trug', name: 'Garden trug', kind: 'garden', wood: 'willow', price: 4200, note: 'Carries what the beds give.' },
  { id: 'spoon', name: 'Ladle', kind: 'kitchen', wood: 'ash', price: 1900, note: 'Carved green, dried slowly.' },
  { id: 'board', name: 'Bread board', kind: 'kitchen', wood: 'chestnut', price: 3600, note: 'One piece, oiled.' },
  { id: 'basket', name: 'Egg basket', kind: 'kitchen', wood: 'willow', price: 2750, note: 'Round, with a handle that stays up.' },
  { id: 'mallet', name: 'Carver’s mallet', kind: 'workshop', wood: 'ash', price: 2400, note: 'Turned, 600 g.' },
  { id: 'handle', name: 'Axe handle', kind: 'workshop', wood: 'ash', price: 2200, note: 'Cleft along the grain.' },
  { id: 'horse', name: 'Shaving horse', kind: 'workshop', wood: 'chestnut', price: 18500, note: 'Comes apart for the road.' },
];

export const kinds: readonly Kind[] = ['garden', 'kitchen', 'workshop'];

export function ofKind(kind: Kind | null): readonly Product[] {
  return kind === null ? catalogue : catalogue.filter((product) => product.kind === kind);
}
