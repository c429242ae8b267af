#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]
use blindrelay_engine::bfv::*; use blindrelay_engine::circuit::*; use blindrelay_engine::params::*; use blindrelay_engine::Backend;
use blindrelay_engine::noise::NoiseBound; use blindrelay_engine::rlwe;
fn main() {
    let p = Parameters::new(preset("decide-16384").unwrap(), Backend::detect()).unwrap();
    let c = Context::new(&p).unwrap();
    let n=16384;
    println!("fresh {:?}", NoiseBound::fresh_secret(n)); println!("round {:?}", NoiseBound::rounding(2,n));
    let pl=Planner::new(&c);
    let x=Shape{level:p.top_level(),noise:NoiseBound::fresh_secret(n),factor:1};
    let th = Threshold::new(ValueSet::new(-128,128,2).unwrap(), 34).unwrap(); let poly=th.polynomial(c.plaintext_modulus()).unwrap(); let t=c.plaintext_modulus(); println!("deg {} mean |c| {:.2}", poly.degree(), (poly.coefficients().iter().map(|&c| t.centre(c).unsigned_abs() as f64).sum::<f64>()/129.0).log2());
    let low = evaluate_polynomials(&pl,&x,&[&Polynomial::new(t,&poly.coefficients()[112..].iter().map(|&c| c as i64).collect::<Vec<_>>())],1); println!("leaf {low:?}"); let low = evaluate_polynomials(&pl,&x,&[&Polynomial::new(t,&poly.coefficients()[96..].iter().map(|&c| c as i64).collect::<Vec<_>>())],1); println!("deg 32 {low:?}");let low = evaluate_polynomials(&pl,&x,&[&Polynomial::new(t,&poly.coefficients()[64..].iter().map(|&c| c as i64).collect::<Vec<_>>())],1); println!("deg 64 {low:?}");
    let mut v=x;
    for _ in 0..7 { println!("ks {:?}", rlwe::key_switch_noise(&p,p.at(v.level).unwrap())); match pl.multiply(&v,&v){Ok(w)=>v=w,Err(e)=>{println!("{e}");break}}; println!("{:?} limit {:.1}", v, c.noise_limit_log2(v.level)); }
}
