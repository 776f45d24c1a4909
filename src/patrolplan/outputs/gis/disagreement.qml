<qgis version="3.22.0-Białowieża" labelsEnabled="0" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="graduatedSymbol" attr="disagreement" symbollevels="1" graduatedMethod="GraduatedColor">
  <ranges>
   <range symbol="0" lower="-1.0" upper="-0.5" label="recorded, hardly feared" render="true" />
   <range symbol="1" lower="-0.5" upper="-0.2" label="recorded more than feared" render="true" />
   <range symbol="2" lower="-0.2" upper="0.2" label="in agreement, or little of both" render="true" />
   <range symbol="3" lower="0.2" upper="0.5" label="feared more than recorded" render="true" />
   <range symbol="4" lower="0.5" upper="1.0" label="feared, hardly recorded" render="true" />
  </ranges>
  <symbols>
   <symbol name="0" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="15">
     <Option type="Map">
      <Option name="line_color" value="179,88,6,255" type="QString" />
      <Option name="line_width" value="1.2" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="1" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="7">
     <Option type="Map">
      <Option name="line_color" value="241,163,64,255" type="QString" />
      <Option name="line_width" value="0.9" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="2" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="200,200,200,255" type="QString" />
      <Option name="line_width" value="0.2" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="3" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="7">
     <Option type="Map">
      <Option name="line_color" value="153,142,195,255" type="QString" />
      <Option name="line_width" value="0.9" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="4" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="15">
     <Option type="Map">
      <Option name="line_color" value="84,39,136,255" type="QString" />
      <Option name="line_width" value="1.2" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
</qgis>
