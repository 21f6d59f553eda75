import type { Cart } from './cart.ts';
import { type Kind, kinds, ofKind, type Product } from './catalogue.ts';
import { element } from './elements.ts';
import { formatPrice } from './money.ts';

export function renderKinds(into: HTMLElement, chosen: Kind | null, choose: (kind: Kind | null) => void): void {
  const button = (kind: Kind | null): HTMLButtonElement =>
    element('button', {
      type: 'button',
      textContent: kind ?? 'all',
      className: kind === chosen ? 'chosen' : '',
      onclick: () => choose(kind),
    });
  into.replaceChildren(button(null), ...kinds.map(button));
}

export function renderProducts(into: HTMLElement, kind: Kind | null, cart: Cart): void {
  into.replaceChildren(...ofKind(kind).map((product) => card(product, cart)));
}

export function renderCart(into: HTMLElement, cart: Cart): void {
  const lines = cart.lines.map(({ product, count }) =>
    element(
      'li',
      {},
      element('span', { textContent: `${count} × ${product.name}` }),
      element('span', { textContent: formatPrice(count * product.price) }),
      element('button', {
        type: 'button',
        textContent: '−',
        ariaLabel: `One ${product.name} less`,
        onclick: () => cart.change(product.id, -1),
      }),
    ),
  );
  into.replaceChildren(
    element('h2', { textContent: 'Your cart' }),
    lines.length === 0 ? element('p', { textContent: 'Nothing yet.' }) : element('ul', {}, ...lines),
    element('p', { className: 'total' }, 'Together ', element('strong', { textContent: formatPrice(cart.total) })),
  );
}

function card(product: Product, cart: Cart): HTMLElement {
  return element(
    'article',
    { className: `card ${product.wood}` },
    element('div', { className: 'picture', ariaHidden: 'true', textContent: product.name.slice(0, 1) }),
    element('h2', { textContent: product.name }),
    element('p', { className: 'note', textContent: product.note }),
    element(
      'p',
      { className: 'offer' },
      element('span', { className: 'wood', textContent: product.wood }),
      element('strong', { textContent: formatPrice(product.price) }),
      element('button', { type: 'button', textContent: 'Add', onclick: () => cart.change(product.id, 1) }),
    ),
  );
}
